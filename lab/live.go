package main

import (
	"fmt"

	"ghostlab/lab/journal"
	"ghostlab/lab/matrix"
	"ghostlab/lab/progress"
)

// cellProgress shows how far each cell has come.
type cellProgress struct {
	tasks map[int]*progress.Task
	bad   map[int]int
	all   bool // one task for all cells
}

func newCellProgress(out *progress.Output, m *matrix.Matrix, cells []matrix.Cell) *cellProgress {
	p := &cellProgress{tasks: map[int]*progress.Task{}, bad: map[int]int{}}
	if p.all = len(cells) > out.Rows(); p.all {
		p.tasks[0] = out.Steps(fmt.Sprintf("%s, %d cells, %d trials", m.Scenario.Name, len(cells), m.Size()), int64(m.Size()))
		return p
	}
	for _, c := range cells {
		p.tasks[c.Index] = out.Steps(c.Label(m.Axes), int64(m.Trials))
	}
	return p
}

func (p *cellProgress) trial(t journal.Trial) {
	i := t.Cell
	if p.all {
		i = 0
	}
	if t.Outcome != "pass" && t.Outcome != "infra" {
		p.bad[i]++
	}
	p.tasks[i].Note(fmt.Sprintf("%d failed", p.bad[i]))
	p.tasks[i].Add(1)
}

func (p *cellProgress) end() {
	for _, t := range p.tasks {
		t.End()
	}
}
