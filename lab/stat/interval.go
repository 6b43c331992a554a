package stat

import (
	"math"

	"gonum.org/v1/gonum/mathext"
)

// Level is the confidence level of the lab's intervals and tests.
const Level = 0.95

// Interval is a range of a proportion within [0, 1], or of a difference of two
// within [-1, 1]. Its ends belong to it.
type Interval struct {
	Low  float64 `json:"low"`
	High float64 `json:"high"`
}

// Width is the interval's length.
func (i Interval) Width() float64 { return i.High - i.Low }

// Contains says whether p is in the interval.
func (i Interval) Contains(p float64) bool { return i.Low <= p && p <= i.High }

// Wilson returns the score interval of k successes in n trials (E. B. Wilson,
// JASA 22, 1927), at a level such as 0.95. Unlike the textbook's normal
// interval it is never empty and says something at 0 of n. It holds the truth
// about as often as its level says: on average over rates, not at each. With
// n = 0 it is [0, 1].
//
// Like ClopperPearson it supposes that n was fixed before the first trial.
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

// ClopperPearson returns the exact interval of k successes in n trials
// (C. J. Clopper and E. S. Pearson, Biometrika 26, 1934): whatever the rate, it
// holds it at least as often as its level says. With n = 0 it is [0, 1].
func ClopperPearson(k, n int, level float64) Interval {
	return bothEnds(k, n, func(k, n int) float64 {
		return mathext.InvRegIncBeta(float64(k), float64(n-k+1), (1-level)/2)
	})
}

// bothEnds makes an interval of its lower end at k > 0 successes: the upper end
// of the successes is the lower end of the failures.
func bothEnds(k, n int, low func(k, n int) float64) Interval {
	i := Interval{0, 1}
	if k > 0 {
		i.Low = low(k, n)
	}
	if k < n {
		i.High = 1 - low(n-k, n)
	}
	return i
}
