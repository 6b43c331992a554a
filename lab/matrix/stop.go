package matrix

import (
	"slices"

	"ghostlab/lab/crash"
	"ghostlab/lab/stat"
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

// Range returns the least and the greatest number of trials after which a cell
// of at most so many trials can end.
func (s Stop) Range(trials int) (least, most int) {
	return stat.Stop{Width: s.Width, First: len(s.First) > 0}.Range(trials)
}

// Expected returns about how many trials a cell takes that has had k crashes in
// n, of at most so many. Of outcomes other than crashes it knows nothing.
func (s Stop) Expected(k, n, trials int) int {
	rule := stat.Stop{Width: s.Width, First: s.Ends(crash.Crash)}
	return max(n, rule.Expected(stat.Count{K: k, N: n}.Rate(), trials))
}

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
	// Passes is the number of passing trials of each cell that it is kept of.
	Passes int `json:"passes"`
	// Failures is the number of failing trials of each signature in each cell that
	// it is kept of. Of later ones it is kept each time their number has doubled. Zero
	// keeps it of all.
	Failures int `json:"failures,omitempty"`
}

// DefaultCollect holds for matrices that do not say: what costs little. With 50
// failures, 80,000 of one signature leave evidence of 60.
func DefaultCollect() Collect {
	return Collect{Evidence: []string{Console, Faults, GuestLog, Stacks}, Passes: 5, Failures: 50}
}

// Keeps says whether evidence of that name is kept.
func (c Collect) Keeps(evidence string) bool { return slices.Contains(c.Evidence, evidence) }
