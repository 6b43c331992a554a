package report

import (
	"fmt"
	"slices"
	"strings"

	"ghostlab/lab/matrix"
	"ghostlab/lab/stat"
)

// Method is how a cell's interval was computed. What fixed the number of its
// trials decides.
type Method string

const (
	// Exact is for a number of trials that was fixed before the first.
	Exact Method = "exact (Clopper-Pearson)"
	// Anytime is for a number that the results could decide: a stop rule's, or
	// somebody's who watched the run and ended it.
	Anytime Method = "anytime-valid (confidence sequence)"
)

func (m Method) interval(k, n int) stat.Interval {
	if m == Anytime {
		return stat.Sequence(k, n, stat.Level)
	}
	return stat.ClopperPearson(k, n, stat.Level)
}

// rates sets what is said of a cell's crash rate. fixed says that the number of
// its trials was fixed before.
func (c *Cell) rates(fixed bool) {
	rate := stat.Count{K: c.Crash, N: c.N}.Rate()
	c.Method = Anytime
	if fixed {
		c.Method = Exact
		w := stat.Wilson(c.Crash, c.N, stat.Level)
		c.Wilson = &w
	}
	i := c.Method.interval(c.Crash, c.N)
	c.Rate, c.Low, c.High = &rate, &i.Low, &i.High
}

// maxCompared is the number of comparisons, times cells, beyond which a matrix
// has too many values for a comparison of all pairs.
const maxCompared = 20_000_000

// effects compares the values of each axis.
func (s *Summary) effects() []stat.Effect {
	var axes []stat.Axis
	work := 0
	for _, a := range s.run.Axes {
		axes = append(axes, stat.Axis{Name: a.Name, Values: a.Values})
		work += len(a.Values) * (len(a.Values) - 1) / 2 * len(s.Cells)
	}
	if work > maxCompared {
		s.uncompared = true
		return nil
	}
	var o stat.Options
	cells := make([]stat.Cell, len(s.Cells))
	for i, c := range s.Cells {
		cells[i] = stat.Cell{Axes: c.Axes, Count: stat.Count{K: c.Crash, N: c.N}}
		o.Anytime = o.Anytime || c.Method == Anytime
	}
	s.Test = o.Method()
	effects := stat.Effects(axes, cells, o)
	for i := range effects {
		if e := &effects[i]; e.Axis == matrix.AxisKernel {
			e.Sentence += s.sameKernels()
		}
	}
	return effects
}

// sameKernels are those that were asked for by several names, as the end of a
// sentence: what a comparison of them shows is chance.
func (s *Summary) sameKernels() string {
	var words strings.Builder
	var named []string
	for _, k := range s.Kernels {
		if len(k.SameAs) == 0 || slices.Contains(named, k.Asked) {
			continue
		}
		one := append([]string{k.Asked}, k.SameAs...)
		named = append(named, one...)
		fmt.Fprintf(&words, "; %s are one kernel here (%s): between them there is only chance", strings.Join(one, " and "), ran(k))
	}
	return words.String()
}

// method names those of all cells' intervals.
func (s *Summary) method() string {
	methods := map[Method]bool{}
	for _, c := range s.Cells {
		methods[c.Method] = true
	}
	names := make([]string, 0, 2)
	if len(s.Cells) == 0 {
		names = append(names, "none, without a cell")
	}
	if methods[Exact] {
		names = append(names, string(Exact))
	}
	if methods[Anytime] {
		names = append(names, anytimeMark+": "+string(Anytime))
	}
	return strings.Join(names, "; ")
}

// anytimeMark follows an interval that is anytime-valid.
const anytimeMark = "*"
