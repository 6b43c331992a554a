// Package hunt decides which schedule to try next when a failure is searched
// for: it learns what pays for this program. It knows nothing of guests; it is
// told what a try found and how long it took.
package hunt

import (
	"math/rand/v2"
	"slices"
	"time"

	"gonum.org/v1/gonum/stat/distuv"

	"ghostlab/lab/matrix"
)

// Arm is a setting of the knobs. Seed and phase are drawn anew for each trial.
type Arm = matrix.Knobs

// Arms are the settings that are tried. One vCPU comes first: its trials are the
// cheapest, they can be recorded and run backwards, and most races need no more
// than an interrupt at the right instruction. From shift 8 on a trial takes
// several times as long; at 10 a guest never gets beyond its ticks.
//
// The short slices are some thousand instructions, the shortest in which a kernel
// still gets on: two threads that share a vCPU then take turns as often as two
// processors would meet. Races with a window of a few instructions showed in 1 to
// 45 of 100 such trials, and in at most 3 of 1000 without (lab/bench, races pair,
// order and once).
func Arms() []Arm {
	return []Arm{
		{VCPUs: 1, Shift: 6},
		{VCPUs: 1, Shift: 3, Slice: 20 * time.Microsecond},
		{VCPUs: 1, Shift: 3},
		{VCPUs: 1, Shift: 6, Slice: 200 * time.Microsecond},
		{VCPUs: 1, Shift: 8},
		{VCPUs: 2, Shift: 3, Slice: 30 * time.Microsecond},
		{VCPUs: 1, Shift: 0},
		{VCPUs: 2, Shift: 3},
		{VCPUs: 2, Shift: 6},
		{VCPUs: 2, Shift: 3, SingleStep: true},
	}
}

// Alone are the arms of one vCPU: what they find can be run backwards.
func Alone() []Arm {
	return slices.DeleteFunc(Arms(), func(a Arm) bool { return a.VCPUs != 1 })
}

// Tally is what was learnt of an arm.
type Tally struct {
	Arm
	Trials int `json:"trials"`
	// Found is how many of them failed as was hoped.
	Found int `json:"found"`
	// Spent is the host's time.
	Spent time.Duration `json:"spent"`
}

// Hunt shares the host's time between arms by Thompson sampling (W. R. Thompson,
// Biometrika 25, 1933): each arm's rate is drawn from what is known of it, and
// the arm that promises the most finds for its time is next. While nothing was
// found all get about the same time, so no arm is given up on the word of few
// trials. Make one with New.
type Hunt struct {
	tallies []Tally
	pending []int // guests under way, by arm
	barren  []int // guests that ended without a trial, by arm
	rng     *rand.Rand
}

// New starts a hunt over arms. The seed decides what is left to chance.
func New(arms []Arm, seed uint64) *Hunt {
	h := &Hunt{pending: make([]int, len(arms)), barren: make([]int, len(arms)), rng: rand.New(rand.NewPCG(seed, 0))}
	for _, a := range arms {
		h.tallies = append(h.tallies, Tally{Arm: a})
	}
	return h
}

// firstCost is what a trial of an untried arm is taken to cost: making its
// template, a second, shared by the first guest's trials.
const firstCost = 200 * time.Millisecond

// Next chooses the arm of the next guest. Each must be followed by Done.
func (h *Hunt) Next() int {
	best, most := 0, -1.0
	for i, t := range h.tallies {
		cost := firstCost
		// A guest that came to no trial counts as one that found nothing in all
		// its time, and so does one under way, whose time is not known yet.
		tries := t.Trials + h.barren[i]
		if tries > 0 {
			cost = t.Spent / time.Duration(tries)
		}
		rate := distuv.Beta{Alpha: 1 + float64(t.Found), Beta: 1 + float64(tries-t.Found+h.pending[i]), Src: h.rng}.Rand()
		if worth := rate / max(cost, time.Millisecond).Seconds(); worth > most {
			best, most = i, worth
		}
	}
	h.pending[best]++
	return best
}

// Done reports what a guest of an arm found in how many trials, and the time it
// took.
func (h *Hunt) Done(arm, trials, found int, spent time.Duration) {
	h.pending[arm]--
	if trials == 0 {
		h.barren[arm]++
	}
	t := &h.tallies[arm]
	t.Trials += trials
	t.Found += found
	t.Spent += spent
}

// Arm returns an arm by its number.
func (h *Hunt) Arm(i int) Arm { return h.tallies[i].Arm }

// Tallies returns what was learnt, in the order of the arms.
func (h *Hunt) Tallies() []Tally { return append([]Tally(nil), h.tallies...) }
