package visible

import "testing"

func TestText(t *testing.T) {
	const text = "a\x1b[2J\u009b\u202eb\r\n\tc\xff"
	for multiline, want := range map[bool]string{
		true:  "a^[[2J⟨U+009B⟩⟨U+202E⟩b^M\n\tc\uFFFD",
		false: "a^[[2J⟨U+009B⟩⟨U+202E⟩b^M^J^Ic\uFFFD",
	} {
		if got := Text(text, multiline); got != want {
			t.Errorf("multiline %v: %q, want %q", multiline, got, want)
		}
	}
}
