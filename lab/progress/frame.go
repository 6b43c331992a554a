package progress

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/mattn/go-runewidth"
)

// frame is what is at the bottom of a terminal. Its zero value is nothing.
type frame struct {
	lines []string
	width int // of the terminal when they were drawn
}

// next returns what to write so that these lines take the place of the last,
// below text that stays. It returns nothing where nothing has changed.
func (f *frame) next(width, height int, lines []string, text string) []byte {
	for i, l := range lines {
		lines[i] = runewidth.Truncate(l, max(width-1, 1), "")
	}
	if text == "" && width == f.width && slices.Equal(lines, f.lines) {
		return nil
	}
	var b bytes.Buffer
	// A Ctrl-C that the terminal echoes has moved the cursor to the right.
	b.WriteByte('\r')
	switch n := min(len(f.lines), height-1); {
	case n > 0 && width < f.width:
		// A narrower terminal may have broken the lines anew, or not: where
		// they begin is not to be known. All of it goes up and out of sight.
		fmt.Fprintf(&b, "\x1b[%d;1H%s\x1b[H", height, strings.Repeat("\n", height))
	case n > 0:
		fmt.Fprintf(&b, "\x1b[%dA", n)
	}
	if text != "" {
		b.WriteString("\x1b[J")
		b.WriteString(text)
	}
	for _, l := range lines {
		b.WriteString(l)
		b.WriteString("\x1b[K\n")
	}
	b.WriteString("\x1b[J")
	f.lines, f.width = lines, width
	return b.Bytes()
}
