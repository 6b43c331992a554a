package runner

import (
	"slices"

	"ghostlab/lab/journal"
	"ghostlab/lab/matrix"
)

// deck deals out the trials of a run. It knows them by number, a few bytes each,
// so that there can be millions.
//
// Trials have a random order, that of their numbers. The next guest is always
// the one that the first waiting trial needs; where guests are shared, it takes
// along the next trials of its group. So each group keeps step with the others:
// none is ahead of the first waiting trial by more than one guest's trials for
// each guest that runs. Where each trial has its guest, the order is kept.
type deck struct {
	cells  []uint32 // of each trial, by its number less 1
	group  []int    // of each cell: what can share guests
	groups []queue
	// late are the trials whose attempts have failed. They wait for all others:
	// the trouble may have passed by then.
	late    []int
	stopped []bool // by cell
	// samples is the number up to which passing trials of a cell are kept.
	samples []int
}

// queue are the waiting trials of a group, by number: those that a guest has
// given back, and then the others.
type queue struct {
	back []int
	rest []uint32
}

// newDeck lays out the trials with the given cells, but for those that are done or
// another shard's. samples is the number of passing trials of each cell that
// are kept.
func newDeck(cells []uint32, group []int, shard matrix.Shard, done journal.Numbers, samples int) *deck {
	d := &deck{cells: cells, group: group, stopped: make([]bool, len(group)), samples: make([]int, len(group))}
	sizes := make([]int, slices.Max(group)+1)
	for _, cell := range cells {
		sizes[group[cell]]++
	}
	d.groups = make([]queue, len(sizes))
	for g, n := range sizes {
		d.groups[g].rest = make([]uint32, 0, n)
	}
	before := make([]int, len(group))
	for i, cell := range cells {
		n := i + 1
		if before[cell] < samples {
			d.samples[cell] = n
		}
		if shard.Has(int(cell), before[cell]) && !done.Has(n) {
			q := &d.groups[group[cell]]
			q.rest = append(q.rest, uint32(n))
		}
		before[cell]++
	}
	return d
}

// cell is the cell of a trial.
func (d *deck) cell(n int) int { return int(d.cells[n-1]) }

// sample says whether a trial is kept even if it passes.
func (d *deck) sample(n int) bool { return n <= d.samples[d.cell(n)] }

// first returns the first waiting trial of a queue; 0 is none. Trials of cells
// that have been stopped are thrown away.
func (d *deck) first(q *queue) int {
	for len(q.back) > 0 && d.stopped[d.cell(q.back[0])] {
		q.back = q.back[1:]
	}
	for len(q.rest) > 0 && d.stopped[d.cell(int(q.rest[0]))] {
		q.rest = q.rest[1:]
	}
	switch {
	case len(q.back) > 0:
		return q.back[0]
	case len(q.rest) > 0:
		return int(q.rest[0])
	}
	return 0
}

// next returns the group of the first waiting trial, and whether there is one.
func (d *deck) next() (group int, ok bool) {
	least := 0
	for g := range d.groups {
		if n := d.first(&d.groups[g]); n > 0 && (least == 0 || n < least) {
			least, group = n, g
		}
	}
	for least == 0 && len(d.late) > 0 {
		n := d.late[0]
		d.late = d.late[1:]
		if !d.stopped[d.cell(n)] {
			least, group = n, d.group[d.cell(n)]
			d.groups[group].back = []int{n}
		}
	}
	return group, least > 0
}

// take removes the first trials of a group, at most so many.
func (d *deck) take(group, most int) []int {
	q := &d.groups[group]
	var ns []int
	for len(ns) < most {
		n := d.first(q)
		if n == 0 {
			break
		}
		if len(q.back) > 0 {
			q.back = q.back[1:]
		} else {
			q.rest = q.rest[1:]
		}
		ns = append(ns, n)
	}
	return ns
}

// giveBack returns a trial that was taken and not run.
func (d *deck) giveBack(n int) {
	q := &d.groups[d.group[d.cell(n)]]
	i, _ := slices.BinarySearch(q.back, n)
	q.back = slices.Insert(q.back, i, n)
}

// postpone returns a trial whose attempt has failed.
func (d *deck) postpone(n int) { d.late = append(d.late, n) }

// drop throws away what is left of a cell.
func (d *deck) drop(cell int) { d.stopped[cell] = true }
