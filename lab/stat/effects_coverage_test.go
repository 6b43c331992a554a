package stat

import (
	"math/rand/v2"
	"testing"
)

// experiment is a matrix of an axis without effect and one with a great one.
type experiment struct {
	axes  []Axis
	cells []Cell
	rates []float64
	r     *rand.Rand
}

func newExperiment(r *rand.Rand) *experiment {
	e := &experiment{axes: []Axis{{"idle", []string{"a", "b"}}, {"real", []string{"x", "y"}}}, r: r}
	e.cells = table(e.axes, 0, 0, 0, 0)
	for i := range e.cells {
		e.cells[i].Count = Count{}
		e.rates = append(e.rates, []float64{0.1, 0.7}[i%2])
	}
	return e
}

func (e *experiment) try(cell int) {
	e.cells[cell].N++
	if e.r.Float64() < e.rates[cell] {
		e.cells[cell].K++
	}
}

// judged says whether something was wrongly shown, and whether a difference was
// wrongly excluded.
func (e *experiment) judged(o Options) (feigned, excluded bool) {
	for _, effect := range Effects(e.axes, e.cells, o) {
		for _, c := range effect.Comparisons {
			idle, truth := effect.Axis == "idle", e.truth(effect.Axis)
			feigned = feigned || idle && c.Shown
			excluded = excluded || !c.Difference.Contains(truth)
			for _, s := range c.Slices {
				feigned = feigned || idle && s.Shown
				excluded = excluded || !s.Difference.Contains(truth)
			}
		}
	}
	return feigned, excluded
}

// truth is the difference that an axis makes.
func (e *experiment) truth(axis string) float64 {
	if axis == "idle" {
		return 0
	}
	return e.rates[1] - e.rates[0]
}

func TestEffectsKeepTheirPromiseAtFixedNumbers(t *testing.T) {
	const runs = 400
	right, within := 0, 0
	for i := range runs {
		e := newExperiment(rand.New(rand.NewPCG(1, uint64(i))))
		for cell := range e.cells {
			for range 30 {
				e.try(cell)
			}
		}
		feigned, excluded := e.judged(Options{})
		if !feigned {
			right++
		}
		if !excluded {
			within++
		}
	}
	t.Logf("right in %d, within in %d of %d", right, within, runs)
	if !promised(right, runs, Level) || !promised(within, runs, Level) {
		t.Errorf("right in %d, within in %d of %d", right, within, runs)
	}
}

// watch lets cells stop by a rule, looks at all effects now and then, and stops
// when it sees one that is not there.
func (e *experiment) watch(s Stop) (feigned, excluded bool) {
	const trials = 200
	for n := 1; n <= trials; n++ {
		for cell, c := range e.cells {
			if !s.Met(c.K, c.N) {
				e.try(cell)
			}
		}
		if n%10 == 0 {
			f, x := e.judged(Options{Anytime: true})
			if feigned, excluded = feigned || f, excluded || x; feigned && excluded {
				break
			}
		}
	}
	return feigned, excluded
}

func TestEffectsKeepTheirPromiseWhenWatched(t *testing.T) {
	const runs = 200
	for _, s := range []Stop{{}, {Width: 0.3, First: true}} {
		right, within := 0, 0
		for i := range runs {
			feigned, excluded := newExperiment(rand.New(rand.NewPCG(2, uint64(i)))).watch(s)
			if !feigned {
				right++
			}
			if !excluded {
				within++
			}
		}
		if !promised(right, runs, Level) || !promised(within, runs, Level) {
			t.Errorf("%+v: right in %d, within in %d of %d", s, right, within, runs)
		}
	}
}
