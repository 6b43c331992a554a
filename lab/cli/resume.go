package cli

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"github.com/spf13/cobra"

	"ghostlab/lab/crash"
	"ghostlab/lab/journal"
	"ghostlab/lab/matrix"
	"ghostlab/lab/report"
	"ghostlab/lab/usage"
	"ghostlab/lab/vm"
)

// resume runs the trials that a run lacks. All about them comes from the run
// itself; what could make them others than they would have been must be as it
// was.
func (a *app) resume(cmd *cobra.Command, args []string, f runFlags) error {
	name, file := f.resumed(args)
	dir, err := journal.Find(a.cfg.Runs, name, a.skipped)
	if err != nil {
		return err
	}
	run, err := journal.ReadRun(dir)
	if err != nil {
		return err
	}
	if run.Search == matrix.Hunt {
		return usage.New(fmt.Errorf("%s is a hunt, which cannot be resumed: what it tries next follows from what it has learnt", run.ID),
			"start another one; another --seed tries other schedules")
	}
	if !a.mayFollow(run) {
		return &untrustedError{run, "to resume it is to run what its run.json says"}
	}
	if err := a.adopt(cmd, run); err != nil {
		return err
	}
	if err := a.sameMatrix(dir, run, file); err != nil {
		return err
	}
	if err := f.sameKeys(cmd, dir, run); err != nil {
		return err
	}
	m, err := a.matrixOf(run)
	if err != nil {
		return err
	}
	e := experiment{matrix: m, file: run.Matrix, shard: run.Shard, guests: f.guests, holds: f.held(), verify: f.verify / 100, json: f.json}
	if f.dry {
		if e.done, err = resultsOf(dir, run); err != nil {
			return err
		}
		return a.dryRun(cmd.Context(), e)
	}
	vm.CleanStale()
	folder, err := journal.Resume(dir, nil)
	if err != nil {
		return err
	}
	defer folder.Close()
	if n := folder.Missing(); n > matrix.Most && !f.yes {
		return &matrix.SizeError{Trials: n}
	}
	e.resumed = folder
	now := folder.Run()
	if folder.Missing() == 0 && (e.verify == 0 || now.Unchecked() == 0) {
		fmt.Fprintf(a.stderr, "lab: %s has all its trials\n", run.ID)
		err = a.conclude(dir, f.json, nil)
	} else {
		_, err = a.execute(cmd.Context(), e)
	}
	if err != nil || m.Scenario.Own == nil {
		return err
	}
	return a.verdict(cmd, dir, *m.Scenario.Own, f.json)
}

// resultsOf counts the results that a run has, by cell. Of a cell that its stop rule
// has ended it is as many as there can be.
func resultsOf(dir string, run *journal.Run) ([]int, error) {
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

// newest is --resume without a name.
const newest = "newest"

// resumed are the run and the matrix file that are named, either in any order:
// the name after --resume counts as an argument.
func (f *runFlags) resumed(args []string) (run, file string) {
	if f.resume != newest {
		run = f.resume
	}
	for _, arg := range args {
		if info, err := os.Stat(arg); file == "" && (err == nil && info.Mode().IsRegular() || run != "") {
			file = arg
		} else {
			run = arg
		}
	}
	return run, file
}

// adopt gives settings the values that the run was made with, but for those that
// flags give now.
func (a *app) adopt(cmd *cobra.Command, run *journal.Run) error {
	given := cmd.Flags().Changed
	if !given("go") {
		a.cfg.Go = run.Go
	}
	if !given("kernel") && !given("kernel-source") && len(run.Kernels) > 0 {
		a.cfg.Kernel = run.Kernels[0].Asked
	}
	if !given("cpu") {
		a.cfg.CPU = run.Guest.CPU
	}
	if !given("cpus") {
		a.cfg.CPUs = run.Guest.VCPUs
	}
	if !given("memory") {
		a.cfg.Memory = run.Guest.Memory
	}
	if given("kernel") {
		return nil
	}
	for _, k := range run.Kernels {
		if err := a.reuseTree(cmd.Context(), run, k); err != nil {
			return err
		}
	}
	return nil
}

// sameMatrix refuses a matrix file, named or where the run found it, that does
// not say what it said then. A file that has gone is not missed.
func (a *app) sameMatrix(dir string, run *journal.Run, file string) error {
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
	text, err := os.ReadFile(name)
	switch {
	case err != nil && file != "":
		return usage.New(err, "without a matrix file --resume takes the run's own")
	case kept == nil && file != "":
		return usage.New(fmt.Errorf("%s was made without a matrix file", run.ID), "name none")
	case err != nil || kept == nil || bytes.Equal(text, kept):
		return nil
	}
	was, err := matrix.Parse(filepath.Join(dir, journal.MatrixFile), kept, a.matrixOptions())
	if err != nil {
		return err
	}
	is, err := matrix.Parse(name, text, a.matrixOptions())
	if err != nil {
		return err
	}
	before, now := plan(was), plan(is)
	if changes := journal.ComparePlans(&before, &now); len(changes) > 0 {
		return &journal.ChangedError{What: fmt.Sprintf("%s has changed since %s began:", name, run.ID), Changes: changes,
			Remedy: fmt.Sprintf("%s is as it was: put that in its place to go on,\nor start a new run with `lab run %s`", report.Near(filepath.Join(dir, journal.MatrixFile)), name)}
	}
	return nil
}

// sameKeys refuses flags that would change what the run's trials are.
func (f *runFlags) sameKeys(cmd *cobra.Command, dir string, run *journal.Run) error {
	if len(f.set)+len(f.only) > 0 {
		return usage.New(errors.New("--set, --only: a resumed run keeps the matrix that it has"), "start a new run to change it")
	}
	is := *run
	for _, k := range f.keys(cmd.Flags()) {
		switch k.Name {
		case matrix.KeyTrials:
			is.Trials, _ = strconv.Atoi(k.Value) // checked by the flag
		case matrix.KeyEngine:
			is.Engine = k.Value
		case matrix.KeyIsolation:
			is.Isolation = k.Value
		case matrix.KeySeed:
			is.Seed, _ = strconv.ParseUint(k.Value, 10, 64)
		}
	}
	changes := journal.ComparePlans(run, &is)
	if f.shard != "" && f.shard != run.Shard.String() {
		changes = append(changes, journal.Change{What: "shard", Was: run.Shard.String(), Is: f.shard})
	}
	if len(changes) > 0 {
		return notResumable(dir, run, changes)
	}
	return nil
}

func notResumable(dir string, run *journal.Run, changes []journal.Change) error {
	return &journal.ChangedError{What: run.ID + " cannot go on with other trials than it began with:", Changes: changes,
		Remedy: fmt.Sprintf("make it as it was (%s says how), or start a new run", report.Near(filepath.Join(dir, "run.json")))}
}

// matrixOf is the matrix of a run, as it was resolved: its cells are those that
// are included, whatever the axes span.
func (a *app) matrixOf(run *journal.Run) (*matrix.Matrix, error) {
	s, err := a.scenarioOf(run)
	if err != nil {
		return nil, err
	}
	m := &matrix.Matrix{
		Scenario: s, Trials: run.Trials, Timeout: run.Timeout, Seed: run.Seed, Engine: run.Engine, Shift: run.Shift,
		Isolation: run.Isolation, Search: run.Search, Axes: run.Axes, Exclude: []matrix.Pattern{{}},
		Expect: run.Expect, Stop: run.Stop, Collect: run.Collect,
	}
	for _, c := range run.Cells {
		m.Include = append(m.Include, c.Axes)
	}
	return m, nil
}

// plan is what a matrix says of a run.
func plan(m *matrix.Matrix) journal.Run {
	return journal.Run{
		Scenario: m.Scenario.Name, ScenarioDir: m.Scenario.Dir, Own: m.Scenario.Own, Set: m.Set, Only: m.Narrowed, Trials: m.Trials, Timeout: m.Timeout, Seed: m.Seed,
		Engine: m.Engine, Shift: m.Shift, Isolation: m.Isolation, Search: m.Search, Axes: m.Varied(), Cells: m.Cells(),
		Expect: m.Expect, Stop: m.Stop, Collect: m.Collect,
	}
}

// folder is where an experiment's trials go: a new run's, or that of the one
// that goes on.
func (a *app) folder(e experiment, record journal.Run) (*journal.Folder, error) {
	if err := journal.CheckKey(); err != nil {
		fmt.Fprintf(a.stderr, "lab: %v\n", err)
	}
	if e.resumed == nil {
		f, err := journal.Create(a.cfg.Runs, record)
		if err == nil && e.text != nil {
			if err = f.KeepMatrix(e.text); err != nil {
				f.Close()
			}
		}
		return f, err
	}
	was := e.resumed.Run()
	if changes := journal.Compare(&was, &record); len(changes) > 0 {
		return nil, notResumable(e.resumed.Dir(), &was, changes)
	}
	if was.Lab != record.Lab {
		fmt.Fprintf(a.stderr, "lab: the run was begun by lab %s, this is %s\n", was.Lab, record.Lab)
	}
	return e.resumed, e.resumed.Continue(record.Sessions[0])
}
