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

// fixed sets Difference by the square-and-add method, for numbers of trials
// fixed before: the distances of each rate's exact limits from its estimate add
// like standard deviations (R. G. Newcombe, Statistics in Medicine 17, 1998;
// G. Y. Zou, W. Huang and X. Zhang, Computational Statistics and Data Analysis
// 53, 2009). With Clopper-Pearson's limits in the place of Wilson's it is
// conservative.
func (c *Contrast) fixed(level float64, limits func(Count, float64) Interval) {
	var below, above float64
	for i, w := range weigh(c.tables) {
		t := c.tables[i]
		a, b := limits(t.A, level), limits(t.B, level)
		below += square(w*(t.B.Rate()-b.Low)) + square(w*(a.High-t.A.Rate()))
		above += square(w*(b.High-t.B.Rate())) + square(w*(t.A.Rate()-a.Low))
	}
	d := c.Rates[1] - c.Rates[0]
	c.Difference = Interval{math.Max(-1, d-math.Sqrt(below)), math.Min(1, d+math.Sqrt(above))}
}

func square(x float64) float64 { return x * x }

// anytime sets Difference from intervals that hold the rates of all cells
// together, whenever one stopped: whatever they allow.
func (c *Contrast) anytime(level float64, limits func(Count, float64) Interval) {
	var d Interval
	for i, w := range weigh(c.tables) {
		a, b := limits(c.tables[i].A, level), limits(c.tables[i].B, level)
		d.Low += w * (b.Low - a.High)
		d.High += w * (b.High - a.Low)
	}
	c.Difference = d
}
