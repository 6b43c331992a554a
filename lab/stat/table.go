package stat

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/floats"
)

// Count is K crashes in N trials, K from 0 to N.
type Count struct {
	K int `json:"k"`
	N int `json:"n"`
}

// Rate is K/N, 0 where nothing was tried.
func (c Count) Rate() float64 {
	if c.N == 0 {
		return 0
	}
	return float64(c.K) / float64(c.N)
}

func (c Count) plus(d Count) Count { return Count{c.K + d.K, c.N + d.N} }

// Table is a 2x2 table: crashes under one condition and under another.
type Table struct{ A, B Count }

// Fisher returns the p-value of Fisher's exact test, two-sided: the probability,
// with the table's margins given and no difference between the conditions, of
// all tables that are not likelier than this one (as R's fisher.test). It
// supposes that the numbers of trials were fixed before.
func Fisher(t Table) float64 { return Stratified([]Table{t}) }

// Stratified returns the p-value of the exact conditional test of no difference
// in any of the tables, each from another stratum (M. W. Birch, JRSS B 26, 1964;
// R's mantelhaen.test with exact = TRUE): it compares like with like, so that
// strata with other rates cannot feign a difference, or hide one. With one table
// it is Fisher's test; without any, or if all margins decide, it is 1. It
// supposes that the numbers of trials were fixed before.
//
// The p-value is exact while the distributions are short. Where they are long
// (about 10^5 trials each) their tails are cut below 10^-20 of the peak and what
// was cut counts as extreme: a p-value is never too small, and too great by no
// more than about 10^-15.
func Stratified(tables []Table) float64 {
	sum, observed := mass{p: []float64{1}}, 0
	for _, t := range tables {
		sum = sum.plus(hypergeometric(t))
		observed += t.A.K
	}
	return sum.asExtreme(observed)
}

// mass is a distribution on the integers from and up. What is cut is the
// probability of those that p leaves out.
type mass struct {
	from int
	p    []float64
	cut  float64
}

// underflow is where a weight, relative to the peak's, ends a tail.
const underflow = 1e-290

// hypergeometric returns the distribution of A.K given the table's margins. It
// follows the ratio of neighbours from the mode outwards, where logarithms of
// factorials would lose digits.
func hypergeometric(t Table) mass {
	k, a, b := t.A.K+t.B.K, t.A.N, t.B.N
	low, high := max(0, k-b), min(k, a)
	mode := min(max((k+1)*(a+1)/(a+b+2), low), high)
	// The weight of x relative to that of x-1.
	ratio := func(x int) float64 {
		return float64(k-x+1) / float64(x) * (float64(a-x+1) / float64(b-k+x))
	}
	var down, up []float64
	x, w := mode, 1.0
	for ; x > low && w > underflow; x-- {
		w /= ratio(x)
		down = append(down, w)
	}
	m := mass{from: x, cut: float64(x-low) * underflow}
	for x, w = mode, 1.0; x < high && w > underflow; x++ {
		w *= ratio(x + 1)
		up = append(up, w)
	}
	m.cut += float64(high-x) * underflow
	slices.Reverse(down)
	m.p = slices.Concat(down, []float64{1}, up)
	total := floats.Sum(m.p)
	floats.Scale(1/total, m.p)
	return m
}

// plus returns the distribution of the sum of two independent variables.
func (m mass) plus(o mass) mass {
	const costly = 1 << 20 // multiplications: a millisecond
	if len(m.p)*len(o.p) > costly {
		m, o = m.trimmed(), o.trimmed()
	}
	if len(m.p) < len(o.p) {
		m, o = o, m
	}
	sum := mass{from: m.from + o.from, p: make([]float64, len(m.p)+len(o.p)-1), cut: m.cut + o.cut}
	for i, w := range o.p {
		floats.AddScaled(sum.p[i:i+len(m.p)], w, m.p)
	}
	return sum
}

// trimmed cuts tails that no reader of a p-value can tell from nothing.
func (m mass) trimmed() mass {
	least := 1e-20 * floats.Max(m.p)
	low, high := 0, len(m.p)
	for ; m.p[low] < least; low++ {
		m.cut += m.p[low]
	}
	for ; m.p[high-1] < least; high-- {
		m.cut += m.p[high-1]
	}
	m.from, m.p = m.from+low, m.p[low:high]
	return m
}

// asExtreme returns the probability of all values that are not likelier than x.
func (m mass) asExtreme(x int) float64 {
	limit := 0.0
	if i := x - m.from; i >= 0 && i < len(m.p) {
		// Equal probabilities differ by rounding: R's tolerance.
		limit = m.p[i] * (1 + 1e-7)
	}
	p := m.cut
	for _, w := range m.p {
		if w <= limit {
			p += w
		}
	}
	return math.Min(1, p)
}
