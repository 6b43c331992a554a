package stat

import "math"

// Contrast compares the crash rates of two values of an axis, in strata that
// hold both: cells that agree in all other axes.
type Contrast struct {
	// Counts are pooled over the strata.
	Counts [2]Count `json:"counts"`
	// Rates are means over the strata, with the same weights for both values:
	// N1*N2/(N1+N2) of each stratum. They are the pooled rates unless the strata
	// are unequally filled.
	Rates [2]float64 `json:"rates"`
	// Strata is their number. With 0 there is nothing to compare: P is 1 and
	// Difference [-1, 1].
	Strata int `json:"strata"`
	// P is the p-value of no difference in any stratum, Adjusted that for all
	// comparisons of the run.
	P        float64 `json:"p"`
	Adjusted float64 `json:"p_adjusted"`
	// Difference is that of Rates, second less first. Those of all comparisons
	// hold the truth together, with the probability Level.
	Difference Interval `json:"difference"`
	// Shown says that Adjusted is at most 1-Level.
	Shown bool `json:"shown"`

	tables []Table
}

func newContrast(tables []Table) Contrast {
	c := Contrast{Strata: len(tables), P: 1, Adjusted: 1, Difference: Interval{-1, 1}, tables: tables}
	weights := weigh(tables)
	for i, t := range tables {
		c.Counts[0], c.Counts[1] = c.Counts[0].plus(t.A), c.Counts[1].plus(t.B)
		c.Rates[0] += weights[i] * t.A.Rate()
		c.Rates[1] += weights[i] * t.B.Rate()
	}
	return c
}

// weigh returns the strata's weights, of sum 1 (W. G. Cochran, Biometrics 10,
// 1954).
func weigh(tables []Table) []float64 {
	weights, sum := make([]float64, len(tables)), 0.0
	for i, t := range tables {
		weights[i] = float64(t.A.N) / float64(t.A.N+t.B.N) * float64(t.B.N)
		sum += weights[i]
	}
	for i := range weights {
		weights[i] /= sum
	}
	return weights
}

// Excluded is the smallest difference, in either direction, such that the data
// exclude all greater ones.
func (c *Contrast) Excluded() float64 {
	return math.Max(math.Abs(c.Difference.Low), math.Abs(c.Difference.High))
}

// compare sets P and Difference, the latter such that it misses the truth with
// a probability of at most miss.
//
// Difference is a profile likelihood interval: all mean differences that some
// rates explain with a likelihood not too far below the greatest. If the numbers
// of trials were fixed, the distance is Chernoff's, log(2/miss), which bounds
// both tails of a binomial and is exact at 0 crashes; the usual one, from the
// normal distribution, promises too much there. Each cell counts as a trial less
// than it has, as in the unbiased estimate of a variance, or strata of a few
// trials would exclude what they cannot. If they were not, the distance is that
// from the likelihood of Anytime's alternative.
func (c *Contrast) compare(miss float64, anytime bool) {
	drop, spent := math.Log(2/miss), 1
	c.P = 1
	if anytime {
		c.P, spent = Anytime(c.tables), 0
		drop = -logAlternative(c.tables) - math.Log(miss)
		for _, t := range c.tables {
			drop += logLikelihood(t.A) + logLikelihood(t.B)
		}
	} else {
		c.P = Stratified(c.tables)
	}
	pairs := make([]pair, len(c.tables))
	for i, w := range weigh(c.tables) {
		t := c.tables[i]
		pairs[i] = pair{w, estimate{t.A.Rate(), float64(t.A.N - spent)}, estimate{t.B.Rate(), float64(t.B.N - spent)}}
	}
	c.Difference = difference(pairs, drop)
}
