package report

import (
	"cmp"
	"fmt"
	"slices"

	"ghostlab/lab/visible"
)

// cellRows is the table of an HTML report: a line for each cell, with a plot of
// its interval.
type cellRows struct {
	Axes, Others []string
	Verdicts     bool
	Rows         []cellRow
	More         int
	Fixed        string
	// Example is something to filter for.
	Example string
}

type cellRow struct {
	Name           string
	Values         []string
	N, Crash       int
	Rate, Interval string
	Plot           *plot
	Others         []int
	Verdict, Class string
}

// plot is an interval in the units of SVG, from 0% to 100%.
type plot struct{ Label, Low, High, Width, At string }

func (s *Summary) cellRows() *cellRows {
	t := &cellRows{Fixed: s.fixed(), Verdicts: len(s.Expect) > 0, More: max(0, len(s.Cells)-maxCells)}
	for _, a := range s.varied {
		t.Axes = append(t.Axes, visible.Text(a.Name, false))
		t.Example = visible.Text(a.Name+"="+a.Values[0], false)
	}
	var others []func(Cell) int
	for _, o := range []struct {
		name string
		of   func(Cell) int
	}{
		{"hangs", func(c Cell) int { return c.Hang }},
		{"guest panics", func(c Cell) int { return c.GuestPanic }},
		{"infra", func(c Cell) int { return c.Infra }},
	} {
		if total(s.Cells, o.of) > 0 {
			t.Others, others = append(t.Others, o.name), append(others, o.of)
		}
	}
	verdicts := s.verdicts()
	for _, i := range s.byRate()[:min(len(s.Cells), maxCells)] {
		c := s.Cells[i]
		row := cellRow{Name: s.name(i), N: c.N, Crash: c.Crash, Rate: c.rate(), Interval: c.interval(), Plot: c.plot(),
			Verdict: string(verdicts[i]), Class: verdictClass[verdicts[i]]}
		for _, a := range s.varied {
			row.Values = append(row.Values, visible.Text(c.on(a.Name), false))
		}
		for _, of := range others {
			row.Others = append(row.Others, of(c))
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

// byRate orders the cells: those that surely crash most often first.
func (s *Summary) byRate() []int {
	order := make([]int, len(s.Cells))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		x, y := s.Cells[a], s.Cells[b]
		return cmp.Or(cmp.Compare(*y.Low, *x.Low), cmp.Compare(*y.Rate, *x.Rate), cmp.Compare(*x.High, *y.High))
	})
	return order
}

func (c Cell) plot() *plot {
	if c.N == 0 {
		return nil
	}
	unit := func(p float64) string { return fmt.Sprintf("%.2f%%", 100*p) }
	return &plot{c.rate() + ", 95 % interval " + c.interval(), unit(*c.Low), unit(*c.High), unit(*c.High - *c.Low), unit(*c.Rate)}
}
