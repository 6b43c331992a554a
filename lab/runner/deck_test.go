package runner

import (
	"runtime"
	"slices"
	"testing"

	"ghostlab/lab/journal"
	"ghostlab/lab/matrix"
)

// Where each trial has its guest, they begin in the order of their numbers,
// whatever guests they need.
func TestDeckKeepsTheOrder(t *testing.T) {
	group := []int{0, 1, 2, 0}
	d := newDeck(matrix.Order(4, 25, 1), group, matrix.Shard{}, journal.Numbers{}, 2)
	for n := 1; n <= 100; n++ {
		g, ok := d.next()
		if !ok {
			t.Fatalf("no trial after %d", n-1)
		}
		if got := d.take(g, 1); !slices.Equal(got, []int{n}) {
			t.Fatalf("got %v, want %d", got, n)
		}
	}
	if _, ok := d.next(); ok {
		t.Error("more trials than there are")
	}
}

// Where trials share guests, no group runs ahead of the others by more than one
// guest's trials.
func TestDeckKeepsGroupsInStep(t *testing.T) {
	const batch = 50
	group := []int{0, 1, 2}
	order := matrix.Order(3, 1000, 1)
	d := newDeck(order, group, matrix.Shard{}, journal.Numbers{}, 0)
	var taken journal.Numbers
	turns := make([]int, len(group))
	for first := 1; ; {
		for taken.Has(first) {
			first++
		}
		g, ok := d.next()
		if !ok {
			break
		}
		ns := d.take(g, batch)
		if ns[0] != first {
			t.Fatalf("a guest begins with trial %d while %d waits", ns[0], first)
		}
		ahead := 0
		for _, n := range ns {
			taken.Add(n)
		}
		for n := first; n <= len(order); n++ {
			if group[order[n-1]] == g && taken.Has(n) {
				ahead++
			}
		}
		if ahead > batch {
			t.Fatalf("group %d is %d trials ahead of trial %d", g, ahead, first)
		}
		turns[g]++
	}
	if taken.Len() != 3000 || !slices.Equal(turns, []int{20, 20, 20}) {
		t.Errorf("%d trials in guests of the groups %v", taken.Len(), turns)
	}
}

func TestDeckGivesBack(t *testing.T) {
	d := newDeck(matrix.Order(1, 6, 1), []int{0}, matrix.Shard{}, journal.Numbers{}, 0)
	take := func(most int) []int {
		d.next()
		return d.take(0, most)
	}
	take(4)
	d.giveBack(4)
	d.giveBack(2) // what was not begun is next, in order
	d.postpone(1) // what failed is last
	if got := take(3); !slices.Equal(got, []int{2, 4, 5}) {
		t.Errorf("got %v", got)
	}
	if got := append(take(9), take(9)...); !slices.Equal(got, []int{6, 1}) {
		t.Errorf("got %v", got)
	}
}

func TestDeckDropsACell(t *testing.T) {
	order := matrix.Order(2, 10, 1)
	d := newDeck(order, []int{0, 0}, matrix.Shard{}, journal.Numbers{}, 0)
	taken := d.take(0, 4)
	d.drop(0)
	for _, n := range taken {
		d.giveBack(n)
		d.postpone(n)
	}
	left := map[int]int{}
	for {
		g, ok := d.next()
		if !ok {
			break
		}
		for _, n := range d.take(g, 3) {
			if d.cell(n) == 0 {
				t.Errorf("trial %d of a cell that was dropped", n)
			}
			left[n]++
		}
	}
	if len(left) != 10 {
		t.Errorf("%d trials of the other cell, want 10", len(left))
	}
}

// Shards and sessions together run each trial once, and the same ones are
// samples as in one run of all.
func TestDecksOfShardsAndSessions(t *testing.T) {
	order, group := matrix.Order(4, 25, 1), []int{0, 1, 0, 1}
	whole := newDeck(order, group, matrix.Shard{}, journal.Numbers{}, 5)
	seen := map[int]int{}
	for shard := 1; shard <= 3; shard++ {
		var done journal.Numbers
		for _, most := range []int{7, 1000} { // the first session is cut short
			d := newDeck(order, group, matrix.Shard{Index: shard, Of: 3}, done, 5)
			for range most {
				g, ok := d.next()
				if !ok {
					break
				}
				n := d.take(g, 1)[0]
				if d.sample(n) != whole.sample(n) {
					t.Errorf("shard %d: trial %d: sample %v", shard, n, d.sample(n))
				}
				done.Add(n)
				seen[n]++
			}
		}
	}
	for n := range order {
		if seen[n+1] != 1 {
			t.Errorf("trial %d was run %d times", n+1, seen[n+1])
		}
	}
}

// A million trials that wait take a few bytes each: 4 for the cell, 4 for the
// place in a queue, and a bit where one is done.
func TestDeckOfAMillionTrials(t *testing.T) {
	const trials, most = 1_000_000, 16 << 20
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	var done journal.Numbers
	for n := 1; n < trials; n += 2 {
		done.Add(n)
	}
	d := newDeck(matrix.Order(8, trials/8, 1), []int{0, 1, 2, 3, 0, 1, 2, 3}, matrix.Shard{}, done, 5)
	for range trials / 4 {
		g, _ := d.next()
		d.take(g, 1)
	}
	runtime.ReadMemStats(&after)
	// All that was ever allocated, so that no collection decides.
	if got := after.TotalAlloc - before.TotalAlloc; got > most {
		t.Errorf("%d MiB were allocated, want at most %d", got>>20, most>>20)
	}
	if _, ok := d.next(); !ok {
		t.Error("no trial is left of the other quarter")
	}
}
