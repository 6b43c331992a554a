package stat

import "math"

// Anytime returns a p-value of no difference in any of the tables that stays
// valid when one looks after each trial and stops because of what one sees, in
// each condition by itself or in all: the probability that it is ever at most x
// is at most x. Fixed-sample tests such as Stratified promise nothing then.
//
// It is the reciprocal of an e-value (universal inference: L. Wasserman,
// A. Ramdas and S. Balakrishnan, PNAS 117, 2020; compare the safe tests of
// R. J. Turner, A. Ly and P. D. Grünwald, J. Statistical Planning and Inference
// 230, 2024): the likelihood of the data under an alternative, here the mixture
// that Sequence uses with a rate of its own for each condition, over the
// greatest likelihood with one rate for both. The first does not depend on when
// one stops, and at the true rates the ratio has mean 1 at each time and is
// exceeded by the greatest likelihood's only in the null's favour; so Ville's
// inequality holds. Of two alternatives, rates that differ between strata and
// rates that do not, it takes the mean.
//
// It needs more data than Stratified for the same p-value: that is the price of
// looking.
func Anytime(tables []Table) float64 {
	null := 0.0
	for _, t := range tables {
		null += logLikelihood(t.A.plus(t.B))
	}
	return math.Min(1, math.Exp(null-logAlternative(tables)))
}

// logAlternative is the logarithm of the probability of the trials under the
// alternative of Anytime.
func logAlternative(tables []Table) float64 {
	apart := 0.0
	var a, b Count
	for _, t := range tables {
		apart += logMixture(t.A.K, t.A.N) + logMixture(t.B.K, t.B.N)
		a, b = a.plus(t.A), b.plus(t.B)
	}
	pooled := logMixture(a.K, a.N) + logMixture(b.K, b.N)
	greater, less := math.Max(apart, pooled), math.Min(apart, pooled)
	return greater + math.Log1p(math.Exp(less-greater)) - math.Ln2
}

// logLikelihood is the logarithm of the greatest probability that any rate
// gives to a sequence of trials.
func logLikelihood(c Count) float64 {
	l := 0.0
	if c.K > 0 {
		l += float64(c.K) * math.Log(c.Rate())
	}
	if c.K < c.N {
		l += float64(c.N-c.K) * math.Log1p(-c.Rate())
	}
	return l
}
