package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/spf13/cobra"

	"ghostlab/images"
	"ghostlab/initramfs"
	"ghostlab/lab/journal"
	"ghostlab/lab/matrix"
	"ghostlab/lab/progress"
	"ghostlab/lab/qemu"
	"ghostlab/lab/runner"
	"ghostlab/lab/store"
	"ghostlab/lab/usage"
	"ghostlab/lab/vm"
	"ghostlab/scenarios"
)

type replayFlags struct {
	times, guests int
	hunt, record  bool
	gdb, batch    bool
	gdbScript     string
	limit         time.Duration
}

func (a *app) replayCommand() *cobra.Command {
	var f replayFlags
	cmd := &cobra.Command{
		Use:   "replay RUN/TRIAL",
		Short: "Run a deterministic trial again, and say if it was identical",
		Long: `Run a trial of the deterministic engine again from its record: the same image, the
same schedule, so the same instructions. It is identical when outcome, duration and
each byte that the guest showed, with its time stamps, are the same.

With --gdb a gdb is started on the trial, stopped at its crash, or at its beginning
where it has none; reverse-stepi, reverse-continue and watchpoints work, for the trial
is recorded first. A guest with several vCPUs is held at its crash, in another run of it,
and goes forwards only. Once it has ended it stands there until gdb leaves. --gdb-script has gdb carry out a file of its commands, with
--batch without a prompt: then gdb's exit code is lab's.

With --record a log of the execution is kept beside the trial, trials/<n>/record/log,
with which a debugger can run it backwards. That takes a guest with one vCPU.

A trial of the parallel engine does not repeat. With --hunt the deterministic engine's
schedules are searched for one that ends with the same signature.`,
		Example: `  lab replay 20261124-020841-ghost-map/17
  lab replay 17                       trial 17 of the newest run
  lab replay 17 --times 1000
  lab replay 17 --record
  lab replay 17 --gdb
  lab replay 17 --gdb-script questions.gdb --batch
  lab replay 17 --hunt                a parallel trial: the nearest that repeats`,
		Args: exactly("RUN/TRIAL"),
		RunE: func(cmd *cobra.Command, args []string) error { return a.replay(cmd.Context(), args[0], f) },
	}
	cmd.Flags().IntVar(&f.times, "times", 1, "`number` of times to run it")
	cmd.Flags().IntVarP(&f.guests, "guests", "j", 0, "`number` of guests at once (default: what the cores and the memory allow)")
	cmd.Flags().BoolVar(&f.record, "record", false, "keep a log with which the trial can be run backwards")
	cmd.Flags().BoolVar(&f.hunt, "hunt", false, "for a trial that cannot be replayed: search for one that can, with the same signature")
	cmd.Flags().BoolVar(&f.gdb, "gdb", false, "start gdb on the trial, which can go backwards from its crash")
	cmd.Flags().StringVar(&f.gdbScript, "gdb-script", "", "a `file` of commands for that gdb")
	cmd.Flags().BoolVar(&f.batch, "batch", false, "end gdb after its script")
	cmd.Flags().DurationVar(&f.limit, "limit", 10*time.Minute, "`time` after which the hunt gives up")
	a.trustFlag(cmd.Flags())
	return cmd
}

func (a *app) replay(ctx context.Context, name string, f replayFlags) error {
	if f.times < 1 {
		return usage.New(fmt.Errorf("--times: want at least 1, got %d", f.times), "")
	}
	past, err := a.past(name)
	if err != nil {
		return err
	}
	if f.gdb || f.gdbScript != "" || f.batch {
		return a.replayGDB(ctx, past, f)
	}
	if err := f.recordable(past.trial.Trial); err != nil {
		return err
	}
	if !past.trial.Schedule.Deterministic() {
		if f.hunt {
			return a.huntFor(ctx, past, f)
		}
		return &parallelError{past.trial}
	}
	if past.trial.Digest == "" {
		return unrepeatable(past.trial.Trial)
	}
	vm.CleanStale()
	st, out, err := a.open()
	if err != nil {
		return err
	}
	defer out.Close()
	job, err := a.pastJob(ctx, past, st, out)
	if err != nil {
		return err
	}
	r, err := runner.NewReplayer(ctx, job, past.dir, past.trial.Trial)
	if err != nil {
		return err
	}
	defer r.Close()
	fmt.Fprintf(a.stdout, "trial %d of %s: %s (%s)\n", past.trial.N, past.run.ID, describe(past.trial.Trial), past.trial.Schedule)
	if f.record {
		return a.record(r, past, out)
	}

	done, identical, difference := 0, 0, ""
	task := out.Steps("replay", int64(f.times))
	err = r.Times(f.times, a.guests(f.guests, job.Matrix, []matrix.Cell{past.cell()}, job.Machine), func(e runner.Execution) bool {
		done++
		if d := runner.Difference(past.trial, e); d == "" {
			identical++
		} else if difference == "" {
			difference = d
		}
		task.Note(fmt.Sprintf("%d identical", identical))
		task.Add(1)
		return ctx.Err() == nil
	})
	task.End()
	out.Close()
	if difference != "" {
		fmt.Fprintf(a.stdout, "first difference: %s\n", difference)
	}
	if done > 0 {
		fmt.Fprintf(a.stdout, "identical %d/%d\n", identical, done)
	}
	switch {
	case err != nil:
		return err
	case identical < f.times:
		return silentError{exitDiffers}
	}
	return nil
}

func describe(t journal.Trial) string {
	if t.Title == "" {
		return string(t.Outcome)
	}
	return fmt.Sprintf("%s, %s", t.Outcome, t.Title)
}

// unrepeatable says why a trial that should repeat does not.
func unrepeatable(t journal.Trial) error {
	return usage.New(fmt.Errorf("trial %d (%s) cannot be replayed: the lab gave it up by the host's clock, or it gave no result", t.N, t.Outcome), "")
}

// parallelError says that a trial cannot be replayed.
type parallelError struct{ trial runner.Execution }

func (e *parallelError) Error() string {
	return fmt.Sprintf("trial %d ran in the parallel engine, where vCPUs race on the host's threads: it cannot be replayed", e.trial.N)
}

// BadInput marks what the user can mend, see usage.IsBadInput.
func (*parallelError) BadInput() {}

// Hint says what to do about it.
func (e *parallelError) Hint() string {
	return "`lab replay --hunt` searches for a deterministic trial with the same signature,\n" +
		"`lab run --engine deterministic` runs the matrix with trials that can be replayed,\n" +
		"`lab run --hold-on crash` keeps the guest of one that fails"
}

// pastTrial is a trial that was run before.
type pastTrial struct {
	dir   string // the run's
	run   *journal.Run
	trial runner.Execution
}

// past finds a trial and reads its record and what is kept of it.
func (a *app) past(name string) (*pastTrial, error) {
	dir, n, err := journal.FindTrial(a.cfg.Runs, name, a.skipped)
	if err != nil {
		return nil, err
	}
	p := &pastTrial{dir: dir}
	p.run, err = journal.Open(dir, func(t journal.Trial) {
		if t.N == n {
			p.trial.Trial = t
		}
	})
	if err != nil {
		return nil, err
	}
	if p.trial.N == 0 {
		return nil, &journal.NoTrialError{Name: name}
	}
	p.trial.Evidence, err = journal.ReadEvidence(dir, n)
	return p, err
}

func (p *pastTrial) cell() matrix.Cell { return p.run.Cells[p.trial.Cell] }

// goVersion is the toolchain that compiled the trial's program.
func (p *pastTrial) goVersion() string { return p.run.GoOf(p.cell()) }

// image is the name of what its guest booted, see images.Name.
func (p *pastTrial) image() string {
	return images.Name(p.run.KernelOf(p.cell()).Asked, p.goVersion())
}

// pastJob is the job that a past trial was part of, with the images that it
// used.
func (a *app) pastJob(ctx context.Context, p *pastTrial, st *store.Store, out *progress.Output) (runner.Job, error) {
	run := p.run
	version, err := qemu.Version(ctx, a.cfg.QEMU)
	if err != nil {
		return runner.Job{}, err
	}
	if version != run.QEMU {
		out.Printf("the run was made with QEMU %s, this is %s", run.QEMU, version)
	}
	machine := a.machine(version)
	machine.About.Run = "replay" // a session of its own: the run's guests are others
	machine.CPU, machine.VCPUs, machine.Memory = run.Guest.CPU, run.Guest.VCPUs, run.Guest.Memory
	img, err := a.pastImage(ctx, p, st, out)
	if err != nil {
		return runner.Job{}, err
	}
	return runner.Job{
		Matrix: &matrix.Matrix{Isolation: run.Isolation, Timeout: run.Timeout, Engine: run.Engine, Shift: run.Shift, Seed: run.Seed},
		Cells:  run.Cells, Commands: run.Commands, Kernel: run.Kernels[0].Asked, Go: run.Go, Machine: machine, Store: st,
		Image: map[string]*images.Image{p.image(): img},
	}, nil
}

// pastImage returns the image of a past run: as it is in the store, or else made
// again, which must give the same bytes.
func (a *app) pastImage(ctx context.Context, p *pastTrial, st *store.Store, out *progress.Output) (*images.Image, error) {
	was := p.run.Images[p.image()]
	own, err := initramfs.Sum(ctx, st)
	if err != nil {
		return nil, err
	}
	if own != was.Init {
		return nil, &changedError{what: "init"}
	}
	img, err := images.Open(st, was)
	if err == nil || !errors.Is(err, fs.ErrNotExist) {
		return img, err
	}
	out.Printf("the run's image is not in the cache; making it again")
	s, err := a.scenarioOf(p.run)
	if err != nil {
		return nil, err
	}
	kernel := p.run.KernelOf(p.cell())
	a.cfg.Kernel = kernel.Asked
	if err := a.reuseTree(ctx, p.run, kernel); err != nil {
		return nil, err
	}
	k, err := a.kernel(ctx, st, out, false)
	if err != nil {
		return nil, err
	}
	if img, err = images.Ensure(ctx, st, k, s.Program(), p.goVersion()); err != nil {
		return nil, err
	}
	if !img.Manifest.Same(was) {
		return nil, &changedError{what: changed(was, img.Manifest), scenario: s.Program().Dir}
	}
	return img, nil
}

// scenarioOf is what a past run ran, as it is now.
func (a *app) scenarioOf(run *journal.Run) (*scenarios.Scenario, error) {
	if run.Own != nil {
		if !a.mayFollow(run) {
			return nil, &untrustedError{run, fmt.Sprintf("the package %s in %s, which it names, would have to be built", run.Own.Package, run.Own.Dir)}
		}
		return scenarios.Of(a.compiler(*run.Own), run.Timeout), nil
	}
	if run.ScenarioDir != "" && a.mayFollow(run) {
		// It may have been named by its path; a run that has moved finds it by name.
		if s, err := scenarios.Find(a.cfg.Scenarios, run.ScenarioDir); err == nil {
			return s, nil
		}
	}
	return scenarios.Find(a.cfg.Scenarios, run.Scenario)
}

func changed(was, is images.Manifest) string {
	if was.Kernel != is.Kernel {
		return "kernel"
	}
	return "program"
}

// changedError says that a past trial's image cannot be had any more.
type changedError struct{ what, scenario string }

func (e *changedError) Error() string {
	return fmt.Sprintf("the %s is not the one the trial ran with: it has another digest", e.what)
}

// BadInput marks what the user can mend, see usage.IsBadInput.
func (*changedError) BadInput() {}

// Hint says what to do about it.
func (e *changedError) Hint() string {
	switch e.what {
	case "kernel":
		return "name the run's kernel with --kernel-source (run.json says which)"
	case "program":
		return "check out the version of " + e.scenario + " that the run was made with"
	}
	return "init is part of lab: use the lab that made the run (run.json names its version)"
}
