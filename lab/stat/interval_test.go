package stat

import (
	"math"
	"testing"
)

// The expected values are what R 4.2.2 prints for
// prop.test(k, n, correct = FALSE)$conf.int.
func TestWilsonAgreesWithR(t *testing.T) {
	for _, c := range []struct {
		k, n      int
		low, high float64
	}{
		{0, 10, 0, 0.277532800},
		{10, 10, 0.722467200, 1},
		{5, 10, 0.236593091, 0.763406909},
		{37, 50, 0.604468427, 0.841284725},
		{1, 100, 0.001767432, 0.054486196},
	} {
		got := Wilson(c.k, c.n, 0.95)
		if math.Abs(got.Low-c.low) > 1e-8 || math.Abs(got.High-c.high) > 1e-8 {
			t.Errorf("Wilson(%d, %d) = %+v, want %v to %v", c.k, c.n, got, c.low, c.high)
		}
	}
	if got := Wilson(0, 0, 0.95); got != (Interval{0, 1}) {
		t.Errorf("nothing tried: %+v, want no knowledge", got)
	}
}

// The promise of an interval, computed exactly: over all outcomes of n trials,
// weighted by their binomial probability, it holds the truth about as often as
// it says. Wilson's coverage wavers around the level; 0.93 is its floor for
// these n (Brown, Cai and DasGupta, Statistical Science 16, 2001).
func TestWilsonCovers(t *testing.T) {
	for _, n := range []int{20, 50, 100} {
		for _, p := range []float64{0.1, 0.3, 0.5, 0.9} {
			covered := 0.0
			for k := 0; k <= n; k++ {
				if i := Wilson(k, n, 0.95); i.Low <= p && p <= i.High {
					covered += binomial(n, k, p)
				}
			}
			if covered < 0.92 || covered > 0.99 {
				t.Errorf("n=%d p=%v: covered with probability %.4f", n, p, covered)
			}
		}
	}
}

func binomial(n, k int, p float64) float64 {
	a, _ := math.Lgamma(float64(n + 1))
	b, _ := math.Lgamma(float64(k + 1))
	c, _ := math.Lgamma(float64(n - k + 1))
	return math.Exp(a - b - c + float64(k)*math.Log(p) + float64(n-k)*math.Log1p(-p))
}
