// Package matrix turns a matrix file into a plan: cells, trials in the order in
// which they are to run, and what is claimed of them. It reads no files and
// starts nothing.
package matrix

import (
	"fmt"
	"time"

	"ghostlab/scenarios"
)

// Most is the number of trials that needs a "yes": about an hour's work.
const Most = 100_000

// Limit is the most trials that a run can have: their order takes 4 bytes of memory
// each, and 30 ms each are a year.
const Limit = 1 << 30

// Engines.
const (
	Parallel      = "parallel"      // vCPUs run at the same time; nothing repeats
	Deterministic = "deterministic" // a trial is a function of image, spec and seed
)

// Hunt is the search that learns which schedules make a program fail.
const Hunt = "hunt"

// Isolations, from the cheapest to the dearest.
const (
	Process = "process" // many trials share a guest
	Fork    = "fork"    // each trial has a clone of a booted guest
	Boot    = "boot"    // each trial boots a guest
)

// DefaultTrials are those of each cell where a matrix does not say.
const DefaultTrials = 100

// Matrix is an experiment: a scenario, axes, and how often.
type Matrix struct {
	Scenario *scenarios.Scenario
	// Trials are those of each cell.
	Trials int
	// Timeout of a trial, in the guest's time.
	Timeout time.Duration
	// Seed orders the trials, and each trial's own seed comes from it.
	Seed uint64
	// Engine, Shift and Isolation are those of cells without an axis of that
	// name.
	Engine    string
	Shift     int
	Isolation string
	// Search, when Hunt, leaves each trial's schedule to a search for failures.
	Search string
	// Axes span the cells: each combination of values but those that Exclude
	// matches, and those of Include beside them.
	Axes    []Axis
	Exclude []Pattern
	Include []map[string]string
	// Only, where there are any, leaves the cells that all of them match.
	Only   []Pattern
	Expect []Expectation
	// Stop ends cells early; Trials is then the most that one gets.
	Stop    Stop
	Collect Collect
	// Set and Narrowed are the flags that all the rest follows from, beside the
	// file: Options' Set and Only.
	Set, Narrowed []Flag

	presets map[string]string
}

// New is the matrix of a scenario alone: one cell, and the defaults of a file.
func New(s *scenarios.Scenario) *Matrix {
	return &Matrix{
		Scenario: s, Timeout: s.Timeout, Trials: DefaultTrials, Seed: 1,
		Engine: Parallel, Shift: DefaultShift, Isolation: Fork, Collect: DefaultCollect(),
	}
}

// HuntChooses says whether an axis is a knob of the hunt's.
func HuntChooses(axis string) bool {
	return axis == AxisEngine || axis == AxisShift || axis == AxisVCPUs || axis == AxisIsolation
}

// Hunted makes the matrix one whose trials are schedules of a hunt.
func (m *Matrix) Hunted() { m.Search, m.Engine, m.Isolation = Hunt, Deterministic, Process }

// Size is the number of trials.
func (m *Matrix) Size() int { return m.Trials * len(m.Cells()) }

// SizeError says that a matrix is larger than anyone types by intent.
type SizeError struct{ Trials int }

func (e *SizeError) Error() string {
	return fmt.Sprintf("the matrix has %d trials, more than %d", e.Trials, Most)
}

// BadInput marks what the user can mend, see usage.IsBadInput.
func (*SizeError) BadInput() {}

// Hint says what to do about it.
func (e *SizeError) Hint() string {
	return "say --yes if that is what you want, or lower it with --trials"
}
