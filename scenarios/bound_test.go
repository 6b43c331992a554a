package scenarios

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

// A file that would keep the library busy for minutes is refused at once, with its place.
func TestYAMLIsBounded(t *testing.T) {
	keys := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, "k%d: v\n", i)
		}
		return b.String()
	}
	for _, c := range []struct {
		what, text, want string
		line             int
	}{
		{"brackets", "a:\n" + strings.Repeat("[", 100_000), "want at most 100 lists and maps within each other", 2},
		{"braces", strings.Repeat("{a: ", 20_000), "want at most 100 lists and maps within each other", 1},
		{"dashes", "a: b\n\n" + strings.Repeat("- ", 20_000), "want at most 100 lists and maps within each other", 3},
		{"keys", keys(60_000), "want at most 256 KiB of YAML, got more", 0},
	} {
		begun := time.Now()
		_, err := ParseYAML("f", []byte(c.text))
		var place *PlaceError
		if !errors.As(err, &place) || !strings.Contains(err.Error(), c.want) || place.Line != c.line {
			t.Errorf("%s: got %v", c.what, err)
		}
		if took := time.Since(begun); took > time.Second {
			t.Errorf("%s took %v", c.what, took)
		}
		if err := DecodeYAML("f", []byte(c.text), &struct{}{}); err == nil {
			t.Errorf("%s: decoded", c.what)
		}
	}
	// What people write is not deep.
	for what, text := range map[string]string{
		"many lists":        "a: [" + strings.Repeat("[b], ", 1000) + "c]",
		"a long list":       strings.Repeat("- - b\n", 1000),
		"a table of dashes": "a: b " + strings.Repeat("-", 1000) + "\nc: \"" + strings.Repeat("- ", 1000) + "\"\n",
	} {
		if _, err := ParseYAML("f", []byte(text)); err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
}
