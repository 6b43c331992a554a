package experiment

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"

	"ghostlab/lab/crash"
	"ghostlab/lab/journal"
	"ghostlab/lab/matrix"
	"ghostlab/lab/report"
	"ghostlab/lab/usage"
)

// Adopt returns a lab with the settings that the run was made with, but for those that
// flags give now.
func (l Lab) Adopt(ctx context.Context, run *journal.Run, given func(flag string) bool) (Lab, error) {
	s := &l.Settings
	if !given("go") {
		s.Go = run.Go
	}
	if !given("kernel") && !given("kernel-source") && len(run.Kernels) > 0 {
		s.Kernel = run.Kernels[0].Asked
	}
	if !given("cpu") {
		s.CPU = run.Guest.CPU
	}
	if !given("cpus") {
		s.CPUs = run.Guest.VCPUs
	}
	if !given("memory") {
		s.Memory = run.Guest.Memory
	}
	if given("kernel") {
		return l, nil
	}
	for _, k := range run.Kernels {
		var err error
		if l.Provider, err = l.WithTree(ctx, run, k); err != nil {
			return l, err
		}
	}
	return l, nil
}

// SameMatrix refuses a matrix file, named or where the run found it, that does
// not say what it said then. A file that has gone is not missed.
func (l Lab) SameMatrix(dir string, run *journal.Run, file string) error {
	kept, err := journal.ReadMatrix(dir)
	if err != nil {
		return err
	}
	name := file
	if name == "" {
		name = run.Matrix
	}
	if name == "" {
		return nil
	}
	if info, err := os.Stat(name); file == "" && err == nil && !info.Mode().IsRegular() {
		return nil // what stands there now is no matrix file
	}
	text, err := os.ReadFile(name)
	switch {
	case err != nil && file != "":
		return usage.New(err, "without a matrix file --resume takes the run's own")
	case kept == nil && file != "":
		return usage.New(fmt.Errorf("%s was made without a matrix file", run.ID), "name none")
	case err != nil || kept == nil || bytes.Equal(text, kept):
		return nil
	}
	was, err := matrix.Parse(filepath.Join(dir, journal.MatrixFile), kept, MatrixOptions(l.Settings))
	if err != nil {
		return err
	}
	is, err := matrix.Parse(name, text, MatrixOptions(l.Settings))
	if err != nil {
		return err
	}
	before, now := PlanOf(was), PlanOf(is)
	if changes := journal.ComparePlans(&before, &now); len(changes) > 0 {
		return &journal.ChangedError{What: fmt.Sprintf("%s has changed since %s began:", name, run.ID), Changes: changes,
			Remedy: fmt.Sprintf("%s is as it was: put that in its place to go on,\nor start a new run with `lab run %s`", report.Near(filepath.Join(dir, journal.MatrixFile)), name)}
	}
	return nil
}

// NotResumable is the error for a run that cannot go on as it would have.
func NotResumable(dir string, run *journal.Run, changes []journal.Change) error {
	return &journal.ChangedError{What: run.ID + " cannot go on with other trials than it began with:", Changes: changes,
		Remedy: fmt.Sprintf("make it as it was (%s says how), or start a new run", report.Near(filepath.Join(dir, "run.json")))}
}

// Results counts the results that a run has, by cell. Of a cell that its stop rule
// has ended it is as many as there can be.
func Results(dir string, run *journal.Run) ([]int, error) {
	done := make([]int, len(run.Cells))
	now, err := journal.Open(dir, func(t journal.Trial) {
		if t.Outcome != crash.Infra {
			done[t.Cell]++
		}
	})
	if err != nil {
		return nil, err
	}
	for _, s := range now.Stopped {
		done[s.Cell] = run.Planned(s.Cell)
	}
	return done, nil
}
