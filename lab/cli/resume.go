package cli

import (
	"errors"
	"fmt"
	"os"
	"strconv"

	"github.com/spf13/cobra"

	"ghostlab/lab/experiment"
	"ghostlab/lab/journal"
	"ghostlab/lab/matrix"
	"ghostlab/lab/provision"
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
	l, err := a.lab()
	if err != nil {
		return err
	}
	defer l.Out.Close()
	if !l.MayFollow(run) {
		return &provision.UntrustedError{Run: run, Need: "to resume it is to run what its run.json says"}
	}
	if l, err = l.Adopt(cmd.Context(), run, cmd.Flags().Changed); err != nil {
		return err
	}
	if err := l.SameMatrix(dir, run, file); err != nil {
		return err
	}
	if err := f.sameKeys(cmd, dir, run); err != nil {
		return err
	}
	m, err := l.MatrixOf(run)
	if err != nil {
		return err
	}
	e := f.experiment(m)
	e.File, e.Shard = run.Matrix, run.Shard
	if f.dry {
		if e.Done, err = experiment.Results(dir, run); err != nil {
			return err
		}
		return experiment.DryRun(cmd.Context(), a.stdout, l.Settings, e)
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
	e.Resumed = folder
	now := folder.Run()
	if folder.Missing() == 0 && (e.Verify == 0 || now.Unchecked() == 0) {
		fmt.Fprintf(a.stderr, "lab: %s has all its trials\n", run.ID)
		err = a.conclude(dir, f.json, nil)
	} else {
		_, err = a.execute(cmd.Context(), l, e, f.json)
	}
	if err != nil || m.Scenario.Own == nil {
		return err
	}
	return a.verdict(cmd, dir, *m.Scenario.Own, f.json)
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
		return experiment.NotResumable(dir, run, changes)
	}
	return nil
}
