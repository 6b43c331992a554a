// Package stat holds the statistics of the lab: what n of N says, and what it
// does not. It knows nothing of trials.
package stat

import "math"

// Interval is a confidence interval of a proportion, within [0, 1].
type Interval struct{ Low, High float64 }

// Wilson returns the score interval of k successes in n trials (E. B. Wilson,
// JASA 22, 1927), at a level such as 0.95. Unlike the textbook's normal
// interval it is never empty and says something at 0 of n. With n = 0 it is
// [0, 1].
func Wilson(k, n int, level float64) Interval {
	if n <= 0 {
		return Interval{0, 1}
	}
	z := math.Sqrt2 * math.Erfinv(level)
	p, m := float64(k)/float64(n), float64(n)
	centre := (p + z*z/(2*m)) / (1 + z*z/m)
	half := z / (1 + z*z/m) * math.Sqrt(p*(1-p)/m+z*z/(4*m*m))
	i := Interval{math.Max(0, centre-half), math.Min(1, centre+half)}
	// Rounding must not exclude the extremes that the formula gives exactly.
	if k == 0 {
		i.Low = 0
	}
	if k == n {
		i.High = 1
	}
	return i
}
