package stat

import (
	"math/rand/v2"
	"testing"
)

// rates of the simulations.
var rates = []float64{0.001, 0.01, 0.05, 0.2, 0.5, 0.9, 0.999}

// promised says whether so many hits can come of a probability of at least
// level: an exact test, wrong in one of a million.
func promised(hits, runs int, level float64) bool {
	return ClopperPearson(hits, runs, 1-2e-6).High >= level
}

// watched is an experiment of one cell that someone watches.
type watched struct {
	interval func(k, n int, level float64) Interval
	rate     float64
	trials   int
	// low and high are, by the number of trials, the least and the greatest
	// number of crashes with which the interval holds the rate.
	low, high []int
}

func newWatched(interval func(k, n int, level float64) Interval, rate float64, trials int) *watched {
	w := &watched{interval: interval, rate: rate, trials: trials}
	low, high := 0, 0
	for n := range trials + 1 {
		for low < n && interval(low, n, Level).High < rate {
			low++
		}
		for high < n && interval(high+1, n, Level).Low <= rate {
			high++
		}
		w.low, w.high = append(w.low, low), append(w.high, high)
	}
	return w
}

func (w *watched) holds(k, n int) bool { return w.low[n] <= k && k <= w.high[n] }

// ends of experiments, each with its own way to stop.
const (
	atWidth = iota
	atFirstCrash
	atError // as soon as the interval is wrong
	ways
)

// experiment tells, for each way to stop, whether the interval then holds the
// rate. narrow is, by the number of trials, up to how many crashes (or passes)
// the interval is narrow.
func (w *watched) experiment(r *rand.Rand, narrow []int) (holds [ways]bool) {
	var ended [ways]bool
	k := 0
	for n := 1; n <= w.trials; n++ {
		if r.Float64() < w.rate {
			k++
		}
		h := w.holds(k, n)
		last := n == w.trials
		for way, stop := range [ways]bool{min(k, n-k) <= narrow[n], k > 0, !h} {
			if !ended[way] && (stop || last) {
				ended[way], holds[way] = true, h
			}
		}
		if ended[atError] && ended[atWidth] && ended[atFirstCrash] {
			break
		}
	}
	return holds
}

// coverage counts, of so many experiments, those whose interval was right.
func coverage(interval func(k, n int, level float64) Interval, rate float64, runs int) (right [ways]int) {
	const trials = 2000
	narrow := make([]int, trials+1)
	k := -1
	for n := range narrow {
		for 2*(k+1) <= n && (Stop{Width: 0.1}).Met(k+1, n) {
			k++
		}
		narrow[n] = k
	}
	w := newWatched(interval, rate, trials)
	r := rand.New(rand.NewPCG(4, uint64(1e6*rate)))
	for range runs {
		for way, holds := range w.experiment(r, narrow) {
			if holds {
				right[way]++
			}
		}
	}
	return right
}

func TestSequenceCoversWhenWatched(t *testing.T) {
	const runs = 10_000
	for _, rate := range rates {
		right := coverage(Sequence, rate, runs)
		for way, name := range []string{"at a width", "at the first crash", "when wrong"} {
			if !promised(right[way], runs, Level) {
				t.Errorf("rate %v, stopped %s: right in %d of %d", rate, name, right[way], runs)
			}
		}
	}
}

// The simulation would notice: an interval for a fixed number of trials breaks
// its promise when watched.
func TestWilsonDoesNotCoverWhenWatched(t *testing.T) {
	const runs = 1000
	for _, rate := range rates {
		if right := coverage(Wilson, rate, runs); promised(right[atError], runs, Level) {
			t.Errorf("rate %v: right in %v of %d", rate, right, runs)
		}
	}
}
