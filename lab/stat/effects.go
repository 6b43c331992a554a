package stat

import (
	"math"
	"strings"
)

// Axis is a parameter and its values, in the order of the matrix.
type Axis struct {
	Name   string
	Values []string
}

// Cell is what came of one combination of axis values.
type Cell struct {
	Axes map[string]string
	Count
}

// Options of Effects. The zero value is for a run without a Stop.
type Options struct {
	// Anytime: the number of trials may depend on their results, because the run
	// had a Stop, whether it was met or not, or because a person ended it on
	// seeing enough.
	Anytime bool
	// Relevant is the difference of two rates that matters to the reader. Where
	// the data exclude nothing so small there are too few trials to call an axis
	// without effect. 0 is 0.25.
	Relevant float64
}

// Method names the test in words, for a report.
func (o Options) Method() string {
	test := "Fisher's exact test"
	if o.Anytime {
		test = "an anytime-valid likelihood ratio test (the run could stop early)"
	}
	return test + ", stratified by the other axes, with Holm's correction for all comparisons of the run"
}

// Verdict says what a run shows of an axis.
type Verdict string

// Verdicts.
const (
	Matters  Verdict = "matters"
	NoEffect Verdict = "no effect shown" // none as great as Options.Relevant
	TooFew   Verdict = "too few trials to say"
)

// Effect is what an axis does to the crash rate.
type Effect struct {
	Axis    string  `json:"axis"`
	Verdict Verdict `json:"verdict"`
	// P is the smallest adjusted p-value of the axis.
	P float64 `json:"p"`
	// Excluded is the smallest difference between any two values, averaged over
	// the other axes, such that the data exclude all greater ones.
	Excluded float64 `json:"excluded"`
	// Sentence is the effect in plain words.
	Sentence    string       `json:"sentence"`
	Comparisons []Comparison `json:"comparisons"`
}

// Comparison is one of two values of an axis.
type Comparison struct {
	Values [2]string `json:"values"`
	Contrast
	// LeftOut counts the cells with results that hold one of the values and have
	// no counterpart that holds the other: they are in no comparison of the two.
	LeftOut int `json:"left_out,omitempty"`
	// Slices are the same comparison where another axis has one value, for each
	// other axis in whose values it can be made: they say where an axis matters.
	Slices []Slice `json:"slices,omitempty"`
}

// Slice is a comparison where an axis has a value.
type Slice struct {
	Axis  string `json:"axis"`
	Value string `json:"value"`
	Contrast
}

// Effects says of each axis with two or more values whether it matters for the
// crash rate. All pairs of an axis' values are compared in strata of the cells
// that agree in all other axes, so that what another axis does, or an exclude of
// the matrix, cannot feign an effect; Slices then compare them where another
// axis has one value.
//
// The probability that anything is called shown wrongly is at most 1-Level for
// the whole run: half of it goes to the comparisons and half to the slices, if
// there are any, each by Holm's correction; and the same holds of the intervals
// of the differences.
func Effects(axes []Axis, cells []Cell, o Options) []Effect {
	if o.Relevant == 0 {
		o.Relevant = 0.25
	}
	effects := []Effect{}
	for i, a := range axes {
		if len(a.Values) < 2 {
			continue
		}
		e := Effect{Axis: a.Name}
		strata := stratify(axes, i, cells)
		for v, first := range a.Values {
			for _, second := range a.Values[v+1:] {
				e.Comparisons = append(e.Comparisons, compare(axes, i, first, second, strata))
			}
		}
		effects = append(effects, e)
	}
	judge(effects, o)
	for i := range effects {
		effects[i].conclude(o)
	}
	return effects
}

// stratum is the cells that agree in all axes but one, by their values of that.
type stratum struct {
	axes   map[string]string
	counts map[string]Count
}

// stratify groups the cells, in the order of their first.
func stratify(axes []Axis, axis int, cells []Cell) []*stratum {
	var strata []*stratum
	known := map[string]*stratum{}
	for _, c := range cells {
		var key strings.Builder
		for i, a := range axes {
			if i != axis {
				key.WriteString(c.Axes[a.Name])
				key.WriteByte(0)
			}
		}
		s := known[key.String()]
		if s == nil {
			s = &stratum{c.Axes, map[string]Count{}}
			known[key.String()] = s
			strata = append(strata, s)
		}
		value := c.Axes[axes[axis].Name]
		s.counts[value] = s.counts[value].plus(c.Count)
	}
	return strata
}

// compare finds what is to be compared; judge does it.
func compare(axes []Axis, axis int, first, second string, strata []*stratum) Comparison {
	c := Comparison{Values: [2]string{first, second}}
	var both []*stratum
	for _, s := range strata {
		switch a, b := s.counts[first].N > 0, s.counts[second].N > 0; {
		case a && b:
			both = append(both, s)
		case a || b:
			c.LeftOut++
		}
	}
	tables := func(name, value string) (t []Table) {
		for _, s := range both {
			if name == "" || s.axes[name] == value {
				t = append(t, Table{s.counts[first], s.counts[second]})
			}
		}
		return t
	}
	c.Contrast = newContrast(tables("", ""))
	for i, a := range axes {
		if i == axis {
			continue
		}
		var slices []Slice
		for _, v := range a.Values {
			if t := tables(a.Name, v); len(t) > 0 {
				slices = append(slices, Slice{a.Name, v, newContrast(t)})
			}
		}
		if len(slices) > 1 {
			c.Slices = append(c.Slices, slices...)
		}
	}
	return c
}

// judge tests all contrasts, in two families.
func judge(effects []Effect, o Options) {
	var whole, sliced []*Contrast
	for i := range effects {
		for j := range effects[i].Comparisons {
			c := &effects[i].Comparisons[j]
			if c.Strata > 0 {
				whole = append(whole, &c.Contrast)
			}
			for k := range c.Slices {
				sliced = append(sliced, &c.Slices[k].Contrast)
			}
		}
	}
	families := 1.0
	if len(sliced) > 0 {
		families = 2
	}
	for _, family := range [][]*Contrast{whole, sliced} {
		p := make([]float64, len(family))
		for i, c := range family {
			c.compare((1-Level)/families/float64(len(family)), o.Anytime)
			p[i] = c.P
		}
		for i, adjusted := range Holm(p) {
			family[i].Adjusted = math.Min(1, families*adjusted)
			family[i].Shown = family[i].Adjusted <= 1-Level
		}
	}
}
