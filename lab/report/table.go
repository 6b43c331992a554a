package report

import (
	"fmt"
	"io"
	"strings"

	"github.com/mattn/go-runewidth"
)

// style is an SGR sequence's parameters (ECMA-48, 8.3.117).
type style string

const (
	normal  style = ""
	strong  style = "1"
	faint   style = "2"
	bad     style = "31"
	good    style = "32"
	warning style = "33"
)

func (on screen) paint(s style, text string) string {
	if !on.colour || s == normal {
		return text
	}
	return "\x1b[" + string(s) + "m" + text + "\x1b[0m"
}

// wrap breaks a paragraph between words, where it is wider than the screen.
func (on screen) wrap(text string) string {
	if on.width <= 0 {
		return text
	}
	var b strings.Builder
	column := 0
	for i, word := range strings.Split(text, " ") {
		width := runewidth.StringWidth(word)
		switch {
		case i == 0:
		case column+1+width > on.width:
			b.WriteString("\n  ")
			column = 2
		default:
			b.WriteByte(' ')
			column++
		}
		b.WriteString(word)
		column += width
	}
	return b.String()
}

// table is columns of text. Its first columns, the labels, name a row.
type table struct {
	columns      []column
	labels, rows int
}

type column struct {
	name  string
	right bool
	cell  func(row int) (string, style)
}

func (t *table) column(name string, cell func(row int) (string, style)) {
	t.columns = append(t.columns, column{name, false, cell})
}

// number is a column that is aligned to the right.
func (t *table) number(name string, cell func(row int) (string, style)) {
	t.columns = append(t.columns, column{name, true, cell})
}

// write writes the table. Where it is wider than the screen, the labels of a row
// come on a line of their own.
func (t *table) write(w io.Writer, on screen) {
	widths := make([]int, len(t.columns))
	sum := -gap
	for i, c := range t.columns {
		widths[i] = runewidth.StringWidth(c.name)
		for row := range t.rows {
			text, _ := c.cell(row)
			widths[i] = max(widths[i], runewidth.StringWidth(text))
		}
		sum += widths[i] + gap
	}
	stacked := on.width > 0 && sum > on.width
	body := t.columns
	if stacked {
		body, widths = t.columns[t.labels:], widths[t.labels:]
	}
	line := func(cell func(c column) (string, style)) {
		var b strings.Builder
		for i, c := range body {
			text, s := cell(c)
			pad := strings.Repeat(" ", widths[i]-runewidth.StringWidth(text))
			if c.right {
				b.WriteString(pad)
			}
			b.WriteString(on.paint(s, text))
			if !c.right && i < len(body)-1 {
				b.WriteString(pad)
			}
			if i < len(body)-1 {
				b.WriteString(strings.Repeat(" ", gap))
			}
		}
		fmt.Fprintln(w, b.String())
	}
	line(func(c column) (string, style) { return c.name, faint })
	for row := range t.rows {
		if stacked {
			var names []string
			for _, c := range t.columns[:t.labels] {
				text, _ := c.cell(row)
				names = append(names, c.name+"="+text)
			}
			fmt.Fprintln(w, on.paint(strong, on.wrap(strings.Join(names, " "))))
		}
		line(func(c column) (string, style) { return c.cell(row) })
	}
}

// gap is the number of blanks between two columns.
const gap = 2
