package stat

import (
	"math/rand/v2"
	"testing"
)

// In 30 strata of 3 trials each, where every estimate is poor, the mean
// difference is within its interval.
func TestDifferenceOfManySmallStrata(t *testing.T) {
	const strata, trials, runs = 30, 3, 1000
	for _, rates := range [][2]float64{{0.02, 0.02}, {0.5, 0.6}, {0.2, 0.9}} {
		r := rand.New(rand.NewPCG(5, 5))
		draw := func(rate float64) (c Count) {
			for c.N < trials {
				c.N++
				if r.Float64() < rate {
					c.K++
				}
			}
			return c
		}
		within := 0
		for range runs {
			tables := make([]Table, strata)
			for i := range tables {
				tables[i] = Table{draw(rates[0]), draw(rates[1])}
			}
			c := newContrast(tables)
			if c.compare(1-Level, false); c.Difference.Contains(rates[1] - rates[0]) {
				within++
			}
		}
		if !promised(within, runs, Level) {
			t.Errorf("rates %v: within the interval in %d of %d", rates, within, runs)
		}
	}
}

// Computed exactly, over all outcomes: an interval of a difference misses the
// truth at most as often as it may, also when that is very seldom, which is
// where normal approximations fail.
func TestDifferenceCovers(t *testing.T) {
	rates := []float64{0.001, 0.02, 0.1, 0.3, 0.5, 0.85, 0.99}
	for _, miss := range []float64{0.05, 0.001, 0.00001} {
		for _, n := range [][2]int{{5, 5}, {30, 30}, {10, 60}} {
			missed := map[[2]float64]float64{}
			for a := range n[0] + 1 {
				for b := range n[1] + 1 {
					c := newContrast([]Table{{Count{a, n[0]}, Count{b, n[1]}}})
					c.compare(miss, false)
					for _, p := range rates {
						for _, q := range rates {
							if !c.Difference.Contains(q - p) {
								missed[[2]float64{p, q}] += binomial(n[0], a, p) * binomial(n[1], b, q)
							}
						}
					}
				}
			}
			for rates, probability := range missed {
				if probability > miss {
					t.Errorf("%v trials at rates %v: missed with a probability of %v, allowed %v", n, rates, probability, miss)
				}
			}
		}
	}
}
