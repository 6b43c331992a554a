package stat

import (
	"math"
	"sort"
)

// Stop says when a cell has been tried often enough. The zero value never does.
// Where both are set, what comes first counts.
type Stop struct {
	// Width ends a cell whose Sequence at Level is at most so wide; 0 does not.
	Width float64
	// First ends a cell with its first crash.
	First bool
}

// Met says whether a cell with k crashes in n trials has been tried enough.
func (s Stop) Met(k, n int) bool {
	return s.First && k > 0 || s.Width > 0 && Sequence(k, n, Level).Width() <= s.Width
}

// Range returns the least and the greatest number of trials after which a cell
// of at most so many trials can end. The sequence is narrowest, so that Width
// is reached soonest, where all trials end alike, and widest where half of them
// crash.
func (s Stop) Range(trials int) (least, most int) {
	least, most = s.width(0, trials), s.width(0.5, trials)
	if s.First {
		least = min(1, least)
	}
	return least, most
}

// Expected returns about how many trials a cell with the crash rate takes, of at
// most so many.
func (s Stop) Expected(rate float64, trials int) int {
	n := s.width(rate, trials)
	if s.First && rate > 0 {
		// The mean of a geometric distribution cut off at n.
		return int(math.Ceil(-math.Expm1(float64(n)*math.Log1p(-rate)) / rate))
	}
	return n
}

// width returns after how many trials of a rate the width is reached.
func (s Stop) width(rate float64, trials int) int {
	if s.Width <= 0 {
		return trials
	}
	return sort.Search(trials, func(n int) bool {
		return Sequence(int(rate*float64(n)), n, Level).Width() <= s.Width
	})
}
