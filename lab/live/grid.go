package live

import (
	"fmt"
	"strings"
	"time"

	"github.com/mattn/go-runewidth"

	"ghostlab/lab/progress"
	"ghostlab/lab/stat"
	"ghostlab/lab/visible"
)

// level is the probability with which a cell's interval holds its rate.
const level = 0.95

// Lines draws the run into that many columns and rows: a row for each cell, or
// where they do not fit a character for each.
func (v *View) Lines(width, height int) []string {
	v.mu.Lock()
	defer v.mu.Unlock()
	head := v.head(width, time.Now())
	switch {
	case len(v.cells) == 1 && v.plan.Hunt:
		return []string{head}
	case len(v.cells)+2 <= height:
		return append([]string{head}, v.rows(width)...)
	}
	return append([]string{head}, v.overview(width, height-1)...)
}

// head is the run in a line, with a bar where there is room.
func (v *View) head(width int, now time.Time) string {
	done, total, _, _, _ := v.sums()
	text := v.state(now)
	if bar := progress.Bar(int64(done), int64(total), min(40, width-runewidth.StringWidth(text)-1)); bar != "" {
		return text + " " + bar
	}
	return text
}

// column is one of the grid's. Columns that do not fit are left out, those with
// the highest rank first.
type column struct {
	name  string
	value func(i int) string
	right bool // aligned
	rank  int
}

func (v *View) columns() []column {
	var cols []column
	for _, a := range v.plan.Axes {
		if len(a.Values) > 1 {
			cols = append(cols, column{a.Name, func(i int) string { return v.plan.Cells[i].Axes[a.Name] }, false, 0})
		}
	}
	cols = append(cols,
		column{"", func(i int) string { return v.bar(i, 12) }, false, 3},
		column{"trials", v.trials, true, 0},
		column{"crashes", func(i int) string { return fmt.Sprint(v.cells[i].crashes) }, true, 0})
	if !v.plan.Hunt {
		cols = append(cols, column{"rate", v.rate, true, 1}, column{"95 % at any time", v.interval, true, 2})
	}
	if _, _, _, other, _ := v.sums(); other > 0 {
		cols = append(cols, column{"hangs, panics", func(i int) string { return fmt.Sprint(v.cells[i].other) }, true, 4})
	}
	return append(cols, column{"most frequent signature", v.top, false, 5})
}

func (v *View) bar(i, width int) string {
	c := v.cells[i]
	if c.stopped {
		return "[stopped]"
	}
	return progress.Bar(int64(c.n+c.infra), int64(c.total), width)
}

func (v *View) trials(i int) string {
	c := v.cells[i]
	if c.stopped {
		return fmt.Sprint(c.n + c.infra)
	}
	return fmt.Sprintf("%d/%d", c.n+c.infra, c.total)
}

func (v *View) rate(i int) string {
	c := v.cells[i]
	if c.n == 0 {
		return "-"
	}
	return fmt.Sprintf("%.1f %%", 100*float64(c.crashes)/float64(c.n))
}

// interval holds for one who looks after each trial, as one does here.
func (v *View) interval(i int) string {
	c := v.cells[i]
	if c.n == 0 {
		return "-"
	}
	s := stat.Sequence(c.crashes, c.n, level)
	return fmt.Sprintf("%.1f %% to %.1f %%", 100*s.Low, 100*s.High)
}

func (v *View) top(i int) string {
	if c := v.cells[i]; c.top != "" {
		return visible.Text(c.top, false)
	}
	return "-"
}

// rows is the grid: a line of names, a line for each cell.
func (v *View) rows(width int) []string {
	cols := v.columns()
	text := make([][]string, len(cols))
	widths := make([]int, len(cols))
	for k, c := range cols {
		text[k] = []string{c.name}
		for i := range v.cells {
			text[k] = append(text[k], c.value(i))
		}
		for _, s := range text[k] {
			widths[k] = max(widths[k], runewidth.StringWidth(s))
		}
	}
	const gap, signature = 2, 5
	for rank := signature; rank > 0; rank-- {
		sum := -gap
		for k, c := range cols {
			if c.rank == signature && widths[k] > 0 {
				sum += gap + len(c.name) // the rest of it may be cut
			} else if widths[k] > 0 {
				sum += gap + widths[k]
			}
		}
		if sum <= width {
			break
		}
		for k, c := range cols {
			if c.rank == rank {
				widths[k] = 0
			}
		}
	}
	lines := make([]string, len(v.cells)+1)
	for i := range lines {
		var b strings.Builder
		for k, c := range cols {
			if widths[k] == 0 {
				continue
			}
			if b.Len() > 0 {
				b.WriteString(strings.Repeat(" ", gap))
			}
			fill := strings.Repeat(" ", widths[k]-runewidth.StringWidth(text[k][i]))
			if c.right {
				b.WriteString(fill + text[k][i])
			} else {
				b.WriteString(text[k][i] + fill)
			}
		}
		lines[i] = strings.TrimRight(b.String(), " ")
	}
	return lines
}

// overview is the run as a map: a character for each cell, in the order of the
// axes, with the values of the last axis side by side. Where even that does not
// fit a character stands for several cells, and shows the highest rate of them.
func (v *View) overview(width, height int) []string {
	room := max(height-1, 1)
	group := 1
	if n := len(v.plan.Axes); n > 0 {
		group = len(v.plan.Axes[n-1].Values)
	}
	share := 1
	perRow := max((width+1)/(group+1), 1) * group
	if group == 1 || group > width || (len(v.cells)+perRow-1)/perRow > room {
		group, perRow = width, width
		share = max((len(v.cells)+width*room-1)/(width*room), 1)
	}
	each := "each character is a cell"
	if share > 1 {
		each = fmt.Sprintf("each character is the worst of %d cells", share)
	}
	lines := []string{each + ": _ not begun, . no crash so far, 1-9 tenths crash, # all crash, ! hangs or panics"}
	var b strings.Builder
	for i, at := 0, 0; i < len(v.cells); i, at = i+share, at+1 {
		switch {
		case at > 0 && at%perRow == 0:
			lines = append(lines, b.String())
			b.Reset()
		case at > 0 && at%group == 0:
			b.WriteByte(' ')
		}
		b.WriteByte(sign(v.cells[i:min(i+share, len(v.cells))]))
	}
	return append(lines, b.String())
}

// sign is the character for the worst of some cells.
func sign(cells []cell) byte {
	worst, at := -1.0, byte('_')
	for _, c := range cells {
		if c.n == 0 {
			continue
		}
		rate, s := float64(c.crashes)/float64(c.n), byte('.')
		switch {
		case c.crashes == c.n:
			s = '#'
		case c.crashes > 0:
			s = '0' + byte(max(1, 10*c.crashes/c.n))
		case c.other > 0:
			rate, s = 1e-9, '!'
		}
		if rate > worst {
			worst, at = rate, s
		}
	}
	return at
}
