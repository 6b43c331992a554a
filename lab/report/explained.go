package report

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"ghostlab/gdb/explain"
	"ghostlab/gdb/travel"
	"ghostlab/lab/journal"
	"ghostlab/lab/visible"
)

// explained is what `lab explain` has found out about a trial.
type explained struct {
	ID, Trial, Signature, Map, Apart string
	Sides                            []raceSide
	// Words are where values came from.
	Words []string
	// When is what Turns fill: who ran then, oldest first.
	When  string
	Turns []string
	Notes []string
}

// raceSide is a goroutine at a moment, and what it did or waits for.
type raceSide struct{ Who, Did, Stack string }

// mostExplained bounds an explanation, in bytes: some thousand times what one takes.
const mostExplained = 16 << 20

// explained are the explanations in the run's folder, at most maxShown, by the
// trials' numbers.
func (s *Summary) explained() []explained {
	trials := journal.TrialsWith(s.dir, journal.ExplanationFile)
	var all []explained
	for _, n := range trials[:min(len(trials), maxShown)] {
		f, err := journal.OpenEvidence(s.dir, n, journal.ExplanationFile)
		if err != nil {
			continue // of another's, who may have put anything there
		}
		e := explain.Explanation{}
		err = json.NewDecoder(io.LimitReader(f, mostExplained)).Decode(&e)
		f.Close()
		if err != nil {
			continue // of another version of lab, or being written
		}
		all = append(all, explainedOf(n, &e))
	}
	return all
}

func explainedOf(n int, e *explain.Explanation) explained {
	x := explained{ID: fmt.Sprintf("explained-%d", n), Trial: fmt.Sprintf("trial %d", n), Signature: visible.Text(e.Signature, false)}
	if e.Map != nil {
		x.Map = visible.Text(e.Map.String(), false)
	}
	side := func(who, did string, stack []travel.Frame) {
		var text strings.Builder
		for _, f := range stack {
			fmt.Fprintf(&text, "%s\n    %s:%d\n", visible.Text(f.Func, false), visible.Text(f.File, false), f.Line)
		}
		x.Sides = append(x.Sides, raceSide{who, visible.Text(did, false), text.String()})
	}
	if v := e.Victim; v != nil {
		side("the victim", v.Name()+", "+v.Did, v.Stack)
	}
	if c := e.Culprit; c != nil {
		side("the culprit", c.Name()+", "+c.Did, c.Stack)
	}
	words := e.Words
	for _, w := range e.Waiting {
		words = append(words, w.Words...)
		side(w.Who(), w.Did(), w.Stack)
		if h := w.Holder; h != nil {
			side(h.Name(), h.Did, h.Stack)
		}
	}
	for _, word := range words {
		x.Words = append(x.Words, visible.Text(word.String(), false))
	}
	if e.Culprit != nil {
		x.Apart = fmt.Sprintf("%d instructions (%v of the guest's time) lie between the two.", e.Apart, e.TimeApart)
	}
	x.When = "before the end"
	if e.Culprit != nil {
		x.When = "between the two"
	}
	for _, turn := range e.Schedule {
		x.Turns = append(x.Turns, visible.Text(fmt.Sprintf("%d instructions: %s", turn.Instructions, turn), false))
	}
	for _, note := range e.Notes {
		x.Notes = append(x.Notes, visible.Text(note, false))
	}
	return x
}
