package journal

import (
	"fmt"

	"ghostlab/lab/matrix"
)

// MemoryOrder says whether guests whose vCPUs TCG runs at the same time saw what Arm
// forbids: QEMU's translator lets a store-release pass a later load-acquire unless a
// plugin stops it, see lab/order.
type MemoryOrder struct {
	// Fence is the SHA-256 of the plugin's source; empty where guests ran without.
	Fence string `json:"fence,omitempty"`
	// Fenced is the self-test with the plugin, Bare the one without. They are nil where
	// there was none, and Why says why.
	Fenced *Litmus `json:"fenced,omitempty"`
	Bare   *Litmus `json:"bare,omitempty"`
	Why    string  `json:"why,omitempty"`
}

// Litmus counts rounds of a store-buffering test in which both threads read the old
// value.
type Litmus struct {
	// Rounds used sync/atomic, and Forbidden of them ended as Go and Arm forbid.
	Rounds    int `json:"rounds"`
	Forbidden int `json:"forbidden"`
	// Plain rounds used plain accesses, and Reordered of them ended so too, which is
	// allowed: they say whether the test could see it.
	Plain     int `json:"plain"`
	Reordered int `json:"reordered"`
}

// enoughReordered is how many rounds must have shown a reordering of plain accesses: if
// the others were as likely to, none among as many has a chance of e^-100.
const enoughReordered = 100

// Sees says whether the test was one that could show what is forbidden: vCPUs that take
// turns on one core of the host show nothing.
func (l *Litmus) Sees() bool {
	return l != nil && l.Rounds >= l.Plain && l.Reordered >= enoughReordered
}

// OrderVerdict is what is known of a run's memory order.
type OrderVerdict string

const (
	// OrderKept: nothing forbidden was seen where it would have been.
	OrderKept OrderVerdict = "kept"
	// OrderBroken: the guests had no fence, or it did not help.
	OrderBroken OrderVerdict = "broken"
	// OrderUnknown: the self-test did not run, or could not see anything.
	OrderUnknown OrderVerdict = "unknown"
)

// Verdict judges the self-test. A nil MemoryOrder is that of a run before there was
// one: without a fence.
func (m *MemoryOrder) Verdict() OrderVerdict {
	switch {
	case m == nil, m.Fence == "", m.Fenced != nil && m.Fenced.Forbidden > 0:
		return OrderBroken
	case m.Fenced.Sees():
		return OrderKept
	}
	return OrderUnknown
}

// String says it in a line.
func (m *MemoryOrder) String() string {
	switch {
	case m == nil:
		return "NOT as Arm's: this run is from before the lab put a fence after store-release"
	case m.Fence == "":
		return "NOT as Arm's: no fence after store-release: " + m.Why
	case m.Fenced == nil:
		return "not known to be Arm's: fence after store-release, but no self-test: " + m.Why
	}
	seen := fmt.Sprintf("%d forbidden outcomes in %d rounds", m.Fenced.Forbidden, m.Fenced.Rounds)
	if m.Bare != nil {
		seen += fmt.Sprintf(" (%d in %d without the fence)", m.Bare.Forbidden, m.Bare.Rounds)
	}
	switch m.Verdict() {
	case OrderKept:
		return "no weaker than Arm's: " + seen
	case OrderBroken:
		return "NOT as Arm's: with the fence " + seen
	}
	return fmt.Sprintf("not known to be Arm's: %s, but only %d of %d plain ones were reordered: this host runs vCPUs too seldom at the same time to tell",
		seen, m.Fenced.Reordered, m.Fenced.Plain)
}

// Races says whether vCPUs of some cells run at the same time by TCG, so that the run has
// a memory order to speak of.
func (r *Run) Races() bool {
	if r.Search != "" || r.Guest.Accelerator != "tcg" {
		return false // a hunt is deterministic
	}
	for _, c := range r.Cells {
		if c.Or(matrix.AxisEngine, r.Engine) == matrix.Parallel && c.VCPUs(r.Guest.VCPUs) > 1 {
			return true
		}
	}
	return false
}

// MemoryOrders are those of the run's sessions, by what is said of each, in their order.
// It is empty for runs that do not race.
func (r *Run) MemoryOrders() []*MemoryOrder {
	if !r.Races() {
		return nil
	}
	if len(r.Sessions) == 0 {
		return []*MemoryOrder{r.MemoryOrder}
	}
	var all []*MemoryOrder
	said := map[string]bool{}
	for _, s := range r.Sessions {
		if text := s.MemoryOrder.String(); !said[text] {
			said[text] = true
			all = append(all, s.MemoryOrder)
		}
	}
	return all
}

// fence is how guests kept Arm's memory order, for comparisons.
func (r *Run) fence() string {
	switch {
	case !r.Races():
		return "none is needed"
	case r.MemoryOrder == nil || r.MemoryOrder.Fence == "":
		return "no fence after store-release"
	}
	return "fence " + short(r.MemoryOrder.Fence)
}
