package report

import (
	"strings"

	"ghostlab/lab/journal"
)

// MemoryOrder says whether the parallel engine kept Arm's memory order.
type MemoryOrder struct {
	// Verdict is the worst of the run's sessions: kept, unknown or broken.
	Verdict journal.OrderVerdict `json:"verdict"`
	// Sentence says it for people, once for sessions that agree.
	Sentence string `json:"sentence"`
}

// memoryOrder is nil for runs that have none to speak of.
func memoryOrder(run *journal.Run) *MemoryOrder {
	all := run.MemoryOrders()
	if len(all) == 0 {
		return nil
	}
	worst := map[journal.OrderVerdict]int{journal.OrderKept: 0, journal.OrderUnknown: 1, journal.OrderBroken: 2}
	o := &MemoryOrder{Verdict: journal.OrderKept}
	var sentences []string
	for _, m := range all {
		if v := m.Verdict(); worst[v] > worst[o.Verdict] {
			o.Verdict = v
		}
		sentences = append(sentences, m.String())
	}
	o.Sentence = strings.Join(sentences, "; ")
	return o
}

// line is what the terminal says after the word memory.
func (o *MemoryOrder) line() string {
	if o == nil {
		return ""
	}
	return "order " + o.Sentence
}
