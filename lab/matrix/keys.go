package matrix

import (
	"errors"
	"fmt"
	"time"

	"ghostlab/lab/crash"
	"ghostlab/scenarios"
)

// Keys of a matrix file, and those within them.
const (
	KeyScenario  = "scenario"
	KeyTrials    = "trials"
	KeyEngine    = "engine"
	KeyIsolation = "isolation"
	KeyTimeout   = "timeout"
	KeyShift     = "shift"
	KeySearch    = "search"
	KeySeed      = "seed"
	KeyAxes      = "axes"
	KeyExclude   = "exclude"
	KeyInclude   = "include"
	KeyExpect    = "expect"
	KeyStop      = "stop"
	KeyCollect   = "collect"

	keyWhere     = "where"
	keySignature = "signature"
	keyWidth     = "width"
	keyFirst     = "first"
	keyEvidence  = "evidence"
	keyPasses    = "passes"
	keyFailures  = "failures"
)

// results are the outcomes that are a result of the program's.
var results = []string{string(crash.Crash), string(crash.Hang), string(crash.GuestPanic), string(crash.Pass)}

// matrixForm is what a matrix of a scenario may be, or, with a nil scenario, one
// of any.
func matrixForm(s *scenarios.Scenario) *form {
	scalar := func(k kind) *form { return &form{kind: k} }
	return &form{needs: []string{KeyScenario}, fields: []field{
		{name: KeyScenario, about: "what is run: a scenario's name or the path of its folder", form: scalar(text)},
		{name: KeyTrials, about: fmt.Sprintf("trials of each cell, or, with stop, the most that one gets; %d where not given", DefaultTrials), form: scalar(positive)},
		{name: KeyEngine, about: "parallel (the default): vCPUs race; deterministic: trials can be replayed", form: scalar(scenarios.Choice(Parallel, Deterministic))},
		{name: KeyIsolation, about: "fork (the default): each trial has a clone of a booted guest; process: many share one; boot: each boots its own", form: scalar(scenarios.Choice(Fork, Process, Boot))},
		{name: KeyTimeout, about: "the longest that a trial may take, in the guest's time; the scenario's where not given", form: scalar(duration)},
		{name: KeyShift, about: fmt.Sprintf("an instruction of the deterministic engine takes 2^shift ns; %d where not given", DefaultShift), form: scalar(scenarios.Int(0, MaxShift))},
		{name: KeySearch, about: "hunt: search for schedules that make the program fail, instead of measuring how often it does", form: scalar(scenarios.Choice(Hunt))},
		{name: KeySeed, about: "seed of the trials' order and of each trial's own seed; 1 where not given", form: scalar(scenarios.Kind{Type: "int", Min: new(int)})},
		{name: KeyAxes, about: "what is varied: each combination of values is a cell", form: axesForm(s)},
		{name: KeyExclude, about: "combinations that are left out: patterns of axes and values", form: &form{items: patternForm(s), least: 1}},
		{name: KeyInclude, about: "cells beside the combinations; an axis that one does not name has its default there", form: &form{items: cellForm(s), least: 1}},
		{name: KeyExpect, about: "what is claimed of cells: lab exits with 1 where a claim is unmet", form: &form{items: expectForm(s), least: 1}},
		{name: KeyStop, about: "when a cell ends before it has had all its trials", form: stopForm()},
		{name: KeyCollect, about: "what is kept of trials; a core of those of the parallel engine only, as `lab inspect` makes one of a deterministic trial again", form: collectForm()},
	}}
}

// Kinds of scalars.
var (
	text     = scenarios.Kind{Type: "string"}
	positive = scenarios.Kind{Type: "int", Min: ptr(1)}
	duration = special{
		func(v string) error {
			if d, err := time.ParseDuration(v); err != nil || d <= 0 {
				return fmt.Errorf("want a duration such as 10s, got %q", v)
			}
			return nil
		},
		map[string]any{"type": "string", "pattern": scenarios.Kind{Type: "duration"}.Schema()["pattern"]},
	}
	claim = special{
		func(v string) error { _, err := ParseClaim(v); return err },
		map[string]any{"type": "string", "pattern": claimPattern.String()},
	}
	width = special{
		func(v string) error {
			if w, err := parseRate(v); err != nil || w == 0 || w == 1 {
				return fmt.Errorf("want a width between 0 and 1 such as 0.1 or 10 %%, got %q", v)
			}
			return nil
		},
		map[string]any{"type": []any{"number", "string"}, "pattern": ratePattern.String(), "exclusiveMinimum": 0, "exclusiveMaximum": 1},
	}
)

func ptr(n int) *int { return &n }

func quoted(what string) func(string) string {
	return func(name string) string { return fmt.Sprintf("%s %q: ", what, name) }
}

func foreignAxis(s *scenarios.Scenario, what string) string {
	of := "a scenario"
	if s != nil {
		of = s.Name
	}
	return what + " %q: neither a parameter of " + of + " nor one of the lab's"
}

// axesForm is a map of lists of values.
func axesForm(s *scenarios.Scenario) *form {
	return &form{
		fields: axisFields(s, func(v *form) *form { return &form{items: v, least: 1, distinct: true} }),
		label:  quoted("axis"), unknown: foreignAxis(s, "axis"),
	}
}

// patternForm selects cells: an axis with a value or a list of values.
func patternForm(s *scenarios.Scenario) *form {
	f := axesForm(s)
	f.least = 1
	f.label = nil
	f.def = "cells"
	if s != nil {
		f.def = "cells of " + s.Name
	}
	return f
}

// cellForm is one cell: an axis with its value.
func cellForm(s *scenarios.Scenario) *form {
	return &form{fields: axisFields(s, func(v *form) *form { return v }), least: 1, unknown: foreignAxis(s, "axis")}
}

func expectForm(s *scenarios.Scenario) *form {
	f := &form{needs: results, fields: []field{
		{name: keyWhere, about: "the cells that the claim is about; all where not given", form: patternForm(s)},
		{name: keySignature, about: "count only trials with this text in their signature", form: &form{kind: text}},
	}}
	for _, o := range results {
		f.fields = append(f.fields, field{
			name: o, about: `how often trials have this outcome: never, always, sometimes, or a comparison such as ">= 50 %"`,
			form: &form{kind: claim},
		})
	}
	return f
}

func stopForm() *form {
	return &form{needs: []string{keyWidth, keyFirst}, fields: []field{
		{name: keyWidth, about: "when the interval of the crash rate is this narrow, such as 0.1 or 10 %", form: &form{kind: width}},
		{name: keyFirst, about: "with the first trial that has this outcome", form: &form{items: &form{kind: scenarios.Choice(results...)}, least: 1, distinct: true}},
	}}
}

func collectForm() *form {
	names := &form{items: &form{kind: scenarios.Choice(evidence...)}, distinct: true}
	f := *names
	f.needs = []string{keyEvidence, keyPasses, keyFailures}
	f.fields = []field{
		{name: keyEvidence, about: "names of what is kept", form: names},
		{name: keyPasses, about: fmt.Sprintf("passing trials of each cell that it is kept of; %d where not given", DefaultCollect().Passes), form: &form{kind: scenarios.Kind{Type: "int", Min: new(int)}}},
		{name: keyFailures, about: fmt.Sprintf("failing trials of each signature in each cell that it is kept of, and after that one each time their number has doubled; %d where not given, 0 for all", DefaultCollect().Failures), form: &form{kind: scenarios.Kind{Type: "int", Min: new(int)}}},
	}
	return &f
}

// checkHunt checks that a matrix does not fix what its hunt is to choose.
func checkHunt(top value, m *Matrix) error {
	if v := top.get(KeyEngine); v != nil && m.Engine == Parallel {
		return v.fail("engine: %w", errors.New("a hunt needs the deterministic engine, whose trials can be replayed"))
	}
	if v := top.get(KeyIsolation); v != nil && m.Isolation != Process {
		return v.fail("isolation: a hunt's trials share guests (process)")
	}
	for _, key := range []string{KeyStop, KeyExpect} {
		if v := top.get(key); v != nil {
			return v.fail("%s: a hunt's trials are made to fail, they have no rate", key)
		}
	}
	if axes := top.get(KeyAxes); axes != nil {
		for _, e := range axes.fields {
			if HuntChooses(e.key.text) {
				return e.key.fail("axis %q: the hunt chooses it", e.key.text)
			}
		}
	}
	return nil
}
