package matrix

import (
	"slices"

	"ghostlab/lab/crash"
)

// Stop ends a cell before it has had all its trials. The zero value never does.
type Stop struct {
	// Width ends a cell when the interval of its crash rate is at most this wide:
	// 0.1 is ten percentage points. It is that of an anytime-valid sequence at
	// 95 %, for the trials are looked at one by one. Zero means no such end.
	Width float64 `json:"width,omitempty"`
	// First ends a cell with its first trial that has one of these outcomes.
	First []crash.Outcome `json:"first,omitempty"`
}

// Any says whether there is a rule at all.
func (s Stop) Any() bool { return s.Width > 0 || len(s.First) > 0 }

// Ends says whether a trial with this outcome ends its cell.
func (s Stop) Ends(o crash.Outcome) bool { return slices.Contains(s.First, o) }

// Evidence that can be kept of a trial.
const (
	Console  = "console"   // what the program wrote
	Faults   = "faults"    // the page faults that the kernel recorded
	GuestLog = "guest-log" // what the kernel wrote meanwhile
	Stacks   = "stacks"    // the stacks of a hung guest
	Core     = "core"      // a core dump of the crashed program
)

var evidence = []string{Console, Faults, GuestLog, Stacks, Core}

// Collect says what is kept of trials, beside their records.
type Collect struct {
	Evidence []string `json:"evidence"`
	// Passes is the number of passing trials of each cell that it is kept of. It
	// is of each failing one.
	Passes int `json:"passes"`
}

// DefaultCollect holds for matrices that do not say: what costs little.
func DefaultCollect() Collect {
	return Collect{Evidence: []string{Console, Faults, GuestLog, Stacks}, Passes: 5}
}

// Keeps says whether evidence of that name is kept.
func (c Collect) Keeps(evidence string) bool { return slices.Contains(c.Evidence, evidence) }
