package matrix

import (
	"slices"
	"testing"
)

func TestOrderMixesCellsAndRepeats(t *testing.T) {
	order := Order(6, 50, 1)
	if !slices.Equal(order, Order(6, 50, 1)) {
		t.Error("the same seed gave two orders")
	}
	counts := map[uint32]int{}
	firstHalf := map[uint32]int{}
	for i, c := range order {
		counts[c]++
		if i < len(order)/2 {
			firstHalf[c]++
		}
	}
	for c := range uint32(6) {
		if counts[c] != 50 || firstHalf[c] < 10 || firstHalf[c] > 40 {
			t.Errorf("cell %d: %d trials, %d of them in the first half", c, counts[c], firstHalf[c])
		}
	}
	if slices.Equal(order, Order(6, 50, 2)) {
		t.Error("another seed gave the same order")
	}
}

// Shards together are the whole, and each is as large as it says.
func TestShardsAreTheMatrix(t *testing.T) {
	for _, c := range []struct{ cells, trials, of int }{{6, 50, 2}, {5, 7, 3}, {3, 2, 4}, {1, 1, 3}, {7, 9, 1}} {
		owners := make([]int, c.cells*c.trials)
		for i := 1; i <= c.of; i++ {
			s, total := Shard{i, c.of}, 0
			perCell := make([]int, c.cells)
			before := make([]int, c.cells)
			for n, cell := range Order(c.cells, c.trials, 1) {
				if s.Has(int(cell), before[cell]) {
					owners[n]++
					perCell[cell]++
					total++
				}
				before[cell]++
			}
			for cell, n := range perCell {
				if n != s.Size(cell, c.trials) {
					t.Errorf("%+v: shard %v has %d trials of cell %d, says %d", c, s, n, cell, s.Size(cell, c.trials))
				}
				if c.trials >= c.of && n == 0 {
					t.Errorf("%+v: shard %v has no trial of cell %d", c, s, cell)
				}
			}
			if least := c.cells * c.trials / c.of; total < least-c.of || total > least+c.of {
				t.Errorf("%+v: shard %v has %d trials", c, s, total)
			}
		}
		for n, times := range owners {
			if times != 1 {
				t.Errorf("%+v: trial %d is in %d shards", c, n+1, times)
			}
		}
	}
}

func TestParseShard(t *testing.T) {
	if s, err := ParseShard("2/3"); err != nil || s != (Shard{2, 3}) || s.String() != "2/3" {
		t.Errorf("got %v, %v", s, err)
	}
	for _, text := range []string{"", "1", "0/2", "3/2", "1/0", "-1/2", "a/b", "1/2/3"} {
		if s, err := ParseShard(text); err == nil {
			t.Errorf("%q is %v", text, s)
		}
	}
}
