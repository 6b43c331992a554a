// Package visible makes text from elsewhere safe to show.
package visible

import (
	"fmt"
	"strings"
	"unicode"
)

// Text makes text of a guest, or of a run from elsewhere, safe to show anywhere: what a terminal would
// obey, what XML forbids and what reorders a line is shown instead of done.
// Control characters get their names on a keyboard (ESC is ^[, NUL is ^@), other
// invisible characters ⟨U+202E⟩, bytes that are no UTF-8 the replacement
// character. Tabs and line ends stay where multiline is set.
func Text(text string, multiline bool) string {
	if plain(text) {
		return text
	}
	var b strings.Builder
	for _, r := range text {
		switch {
		case multiline && (r == '\n' || r == '\t'):
			b.WriteRune(r)
		case r < ' ' || r == 0x7f:
			b.WriteByte('^')
			b.WriteRune(r ^ '@')
		case unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Co), r >= 0xFFFE && r&0xFFFE == 0xFFFE:
			fmt.Fprintf(&b, "⟨U+%04X⟩", r)
		default:
			b.WriteRune(r) // for bytes that are no UTF-8 the loop gives U+FFFD
		}
	}
	return b.String()
}

// plain is for the text that nearly all is: printable ASCII.
func plain(text string) bool {
	for i := range len(text) {
		if c := text[i]; c < ' ' || c > '~' {
			return false
		}
	}
	return true
}
