package report

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"

	"ghostlab/lab/matrix"
	"ghostlab/lab/stat"
	"ghostlab/lab/visible"
)

const (
	// maxPanels is the number of heat maps side by side.
	maxPanels = 12
	// maxSquares is the number of cells that the page's script gets.
	maxSquares = 20_000
)

// heat is the matrix over two of its axes: a panel for each combination of the
// others.
type heat struct {
	Panels []panel
	Levels []int
	// Pooled says over which axes the rates are pooled, in words.
	Pooled string
	// Row and Column are indices in Data's axes. Data is what the page's script
	// draws other choices from.
	Row, Column, Most int
	PooledJSON        string
	Data              any
}

type panel struct {
	Caption, Row, Column string
	Head                 []string
	Rows                 []heatRow
}

// Wide is the number of columns.
func (p panel) Wide() int { return len(p.Head) }

type heatRow struct {
	Name    string
	Squares []square
}

// square is a cell of the map, or several pooled.
type square struct {
	Text, Class, Rate, Of string
	Others                []string
}

// heat chooses for a first look the axis that the rate depends on most, over the
// one with the most values. The others make panels, where that are not too many,
// and are pooled, the least important ones, where it is.
func (s *Summary) heat() *heat {
	axes := s.varied
	order := s.importance(axes)
	h := &heat{Most: maxPanels, Column: order[0], Row: order[0]}
	for _, i := range order[1:] {
		if h.Row == h.Column || len(axes[i].Values) > len(axes[h.Row].Values) {
			h.Row = i
		}
	}
	var apart []int
	pooled := map[int]bool{}
	panels := 1
	var names []string
	for _, i := range order {
		if i == h.Row || i == h.Column {
			continue
		}
		if panels*len(axes[i].Values) <= maxPanels {
			panels *= len(axes[i].Values)
			apart = append(apart, i)
		} else {
			pooled[i] = true
			names = append(names, axes[i].Name)
		}
	}
	slices.Sort(apart)
	h.Pooled = "nothing is pooled"
	if names != nil {
		h.Pooled = "pooled over " + visible.Text(enumerate(names), false)
	}
	j, _ := json.Marshal(pooled) // a map of bools has no error
	h.PooledJSON = string(j)
	for l := 1; l <= levels; l++ {
		h.Levels = append(h.Levels, l)
	}
	h.Panels = s.panels(axes, h.Row, h.Column, apart)
	h.Data = s.heatData(axes)
	return h
}

// importance orders axes by what the run shows of them, the clearest first.
func (s *Summary) importance(axes []matrix.Axis) []int {
	p := map[string]float64{}
	for _, a := range axes {
		p[a.Name] = 1 - s.spread(a)
	}
	for _, e := range s.Effects {
		p[e.Axis] = e.P
	}
	order := make([]int, len(axes))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		switch x, y := p[axes[a].Name], p[axes[b].Name]; {
		case x < y:
			return -1
		case x > y:
			return 1
		}
		return len(axes[b].Values) - len(axes[a].Values)
	})
	return order
}

// spread is the difference of the greatest and the least rate of an axis' values,
// for an order where the axes were not compared.
func (s *Summary) spread(a matrix.Axis) float64 {
	counts := map[string]stat.Count{}
	for _, c := range s.Cells {
		n := counts[c.on(a.Name)]
		counts[c.on(a.Name)] = stat.Count{K: n.K + c.Crash, N: n.N + c.N}
	}
	low, high := 1.0, 0.0
	for _, n := range counts {
		low, high = min(low, n.Rate()), max(high, n.Rate())
	}
	return high - low
}

// panels sums the cells up by row, column and the axes that are kept apart.
func (s *Summary) panels(axes []matrix.Axis, row, column int, apart []int) []panel {
	type place struct{ panel, row, column string }
	key := func(c Cell) (name string) {
		for _, i := range apart {
			name += axes[i].Name + "=" + c.on(axes[i].Name) + " "
		}
		return name
	}
	sums := map[place]*Cell{}
	var captions []string
	for _, c := range s.Cells {
		at := place{key(c), c.on(axes[row].Name), c.on(axes[column].Name)}
		if !slices.Contains(captions, at.panel) {
			captions = append(captions, at.panel)
		}
		if sums[at] == nil {
			sums[at] = &Cell{}
		}
		sum := sums[at]
		sum.N, sum.Crash, sum.Hang, sum.GuestPanic = sum.N+c.N, sum.Crash+c.Crash, sum.Hang+c.Hang, sum.GuestPanic+c.GuestPanic
	}
	var out []panel
	for _, caption := range captions {
		p := panel{Caption: visible.Text(strings.TrimSpace(caption), false), Row: visible.Text(axes[row].Name, false), Column: visible.Text(axes[column].Name, false)}
		rows := axes[row].Values
		if row == column {
			p.Column, rows = "", []string{""} // one axis only
		}
		for _, v := range axes[column].Values {
			p.Head = append(p.Head, visible.Text(v, false))
		}
		for _, r := range rows {
			line := heatRow{Name: visible.Text(r, false)}
			for _, c := range axes[column].Values {
				at := place{caption, r, c}
				if row == column {
					at.row = c
				}
				line.Squares = append(line.Squares, squareOf(sums[at]))
			}
			p.Rows = append(p.Rows, line)
		}
		out = append(out, p)
	}
	return out
}

func squareOf(c *Cell) square {
	switch {
	case c == nil:
		return square{Text: "not in the matrix"}
	case c.N == 0:
		return square{Text: "no result"}
	}
	q := square{Rate: percent(stat.Count{K: c.Crash, N: c.N}.Rate()), Of: fmt.Sprintf("%d of %d", c.Crash, c.N)}
	if c.Crash > 0 {
		q.Class = fmt.Sprintf("lev l%d", level(c))
	}
	for _, failure := range c.otherFailures() {
		q.Others = append(q.Others, "+ "+failure)
	}
	return q
}

// levels is the number of colours.
const levels = 10

// level is the colour of a cell with crashes: 1 is a rate of up to 10 %.
func level(c *Cell) int { return int(math.Ceil(levels * float64(c.Crash) / float64(c.N))) }

// heatData is what the script draws maps from: cells as the indices of their
// values, then crashes, results, hangs and guest panics. It is nil for more cells
// than a page should carry.
func (s *Summary) heatData(axes []matrix.Axis) any {
	cells := [][]int{}
	if len(s.Cells) <= maxSquares {
		for _, c := range s.Cells {
			var numbers []int
			for _, a := range axes {
				numbers = append(numbers, slices.Index(a.Values, c.on(a.Name)))
			}
			cells = append(cells, append(numbers, c.Crash, c.N, c.Hang, c.GuestPanic))
		}
	}
	shown := make([]matrix.Axis, len(axes))
	for i, a := range axes {
		shown[i].Name = visible.Text(a.Name, false)
		for _, v := range a.Values {
			shown[i].Values = append(shown[i].Values, visible.Text(v, false))
		}
	}
	return map[string]any{"axes": shown, "cells": cells}
}
