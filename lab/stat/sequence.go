package stat

import (
	"math"

	"gonum.org/v1/gonum/mathext"
)

// Sequence returns the interval of k successes in n trials for someone who
// looks after each trial and stops when it suits: with the probability level
// the intervals of ALL n hold the true rate, so the last one does, whatever made
// it the last. That is a confidence sequence. With n = 0 it is [0, 1].
//
// It is the set of all rates p whose mixture likelihood ratio
//
//	M(p) = B(k+1/2, n-k+1/2) / B(1/2, 1/2) / (p^k (1-p)^(n-k))
//
// is below 1/(1-level). At the true rate M is a martingale with mean 1, which
// ever reaches 1/(1-level) with a probability of at most 1-level (J. Ville, 1939;
// H. Robbins, Annals of Mathematical Statistics 41, 1970; S. R. Howard,
// A. Ramdas, J. McAuliffe and J. Sekhon, Annals of Statistics 49, 2021). The
// mixture is Jeffreys' Beta(1/2, 1/2), which loses least near 0 and 1
// (R. E. Krichevsky and V. K. Trofimov, IEEE Trans. Information Theory 27, 1981),
// where the rates of rare crashes are.
//
// The intersection of all intervals seen is valid too, and narrower at times,
// but is no function of k and n: a resumed or merged run would disagree with
// itself.
func Sequence(k, n int, level float64) Interval {
	return bothEnds(k, n, func(k, n int) float64 { return sequenceLow(k, n, level) })
}

// sequenceLow finds the rate p below k/n at which log M(p) = -log(1-level), by
// Newton's method in u = log p. There log M is convex and falling, so the
// iteration climbs to the root from any point below it.
func sequenceLow(k, n int, level float64) float64 {
	hit, miss := float64(k), float64(n-k)
	top := logMixture(k, n) + math.Log1p(-level)
	// Without the failures' part, which is never negative.
	u := top / hit
	for range 100 {
		p := math.Exp(u)
		excess := top - hit*u - miss*math.Log1p(-p)
		slope := hit - miss*p/(1-p)
		if !(excess > 0 && slope > 0) {
			break
		}
		next := u + excess/slope
		if next <= u || next >= 0 {
			break
		}
		u = next
	}
	return math.Exp(u)
}

// logMixture is the logarithm of the probability of a sequence of n trials with
// k successes, when the rate is drawn from Jeffreys' distribution.
func logMixture(k, n int) float64 {
	return mathext.Lbeta(float64(k)+0.5, float64(n-k)+0.5) - math.Log(math.Pi)
}
