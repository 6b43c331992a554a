// Package rerun opens a past trial again: its record, its image, its replay both ways,
// and the machine at its crash. It prints nothing.
package rerun

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"ghostlab/images"
	"ghostlab/initramfs"
	"ghostlab/lab/crash"
	"ghostlab/lab/journal"
	"ghostlab/lab/matrix"
	"ghostlab/lab/provision"
	"ghostlab/lab/qemu"
	"ghostlab/lab/report"
	"ghostlab/lab/runner"
	"ghostlab/lab/usage"
)

// Past is a trial that was run before.
type Past struct {
	Dir   string // the run's
	Run   *journal.Run
	Trial runner.Execution
}

// Find returns the trial of that name, with its record and what is kept of what its guest
// has shown; see journal.FindTrial.
func Find(runs, name string, skipped func(error)) (*Past, error) {
	dir, n, err := journal.FindTrial(runs, name, skipped)
	if err != nil {
		return nil, err
	}
	p := &Past{Dir: dir}
	p.Run, err = journal.Open(dir, func(t journal.Trial) {
		if t.N == n {
			p.Trial.Trial = t
		}
	})
	if err != nil {
		return nil, err
	}
	if p.Trial.N == 0 {
		return nil, &journal.NoTrialError{Name: name}
	}
	p.Trial.Evidence, err = journal.ReadEvidence(dir, n, runner.Shown...)
	return p, err
}

// Cell is the trial's.
func (p *Past) Cell() matrix.Cell { return p.Run.Cells[p.Trial.Cell] }

// GoVersion is the toolchain that compiled the trial's program.
func (p *Past) GoVersion() string { return p.Run.GoOf(p.Cell()) }

// ImageName is the name of what its guest booted, see images.Name.
func (p *Past) ImageName() string {
	return images.Name(p.Run.KernelOf(p.Cell()).Asked, p.GoVersion())
}

// Hung says whether the trial did not end in its time.
func (p *Past) Hung() bool { return p.Trial.Outcome == crash.Hang }

// Repeats returns nil for a trial that can be run again.
func (p *Past) Repeats() error {
	if !p.Trial.Schedule.Deterministic() {
		return &ParallelError{p.Trial}
	}
	if p.Trial.Digest == "" {
		return usage.New(fmt.Errorf("trial %d (%s) cannot be replayed: the lab gave it up by the host's clock, or it gave no result", p.Trial.N, p.Trial.Outcome), "")
	}
	return nil
}

// Backwards returns nil for a trial that can be run backwards.
func (p *Past) Backwards() error {
	if err := p.Repeats(); err != nil {
		return err
	}
	return runner.Recordable(p.Trial.Trial)
}

// ParallelError says that a trial cannot be replayed.
type ParallelError struct{ trial runner.Execution }

func (e *ParallelError) Error() string {
	return fmt.Sprintf("trial %d ran in the parallel engine, where vCPUs race on the host's threads: it cannot be replayed", e.trial.N)
}

// BadInput marks what the user can mend, see usage.IsBadInput.
func (*ParallelError) BadInput() {}

// Hint says what to do about it.
func (e *ParallelError) Hint() string {
	return "`lab replay --hunt` searches for a deterministic trial with the same signature,\n" +
		"`lab run --engine deterministic` runs the matrix with trials that can be replayed,\n" +
		"`lab run --hold-on crash` keeps the guest of one that fails"
}

// PassedError says that a trial has no crash.
type PassedError struct{ Past *Past }

func (e *PassedError) Error() string {
	return fmt.Sprintf("trial %d ended with %s: it has no crash", e.Past.Trial.N, e.Past.Trial.Outcome)
}

// BadInput marks what the user can mend, see usage.IsBadInput.
func (*PassedError) BadInput() {}

// Hint says what to do about it.
func (e *PassedError) Hint() string {
	p := e.Past
	switch p.Trial.Outcome {
	case crash.Hang:
		return "`lab explain` says what its goroutines waited for; they are in " + report.Near(filepath.Join(journal.TrialDir(p.Dir, p.Trial.N), "console.log"))
	case crash.Infra:
		return "the lab failed, not the program: " + p.Trial.Error
	}
	return "`lab show " + p.Run.ID + "` says which trials failed; `lab hunt` searches for one that does"
}

// Job returns the job that a past trial was part of, with the image that it used.
func Job(ctx context.Context, p provision.Provider, past *Past) (runner.Job, error) {
	run := past.Run
	version, err := qemu.Version(ctx, p.Settings.QEMU)
	if err != nil {
		return runner.Job{}, err
	}
	if version != run.QEMU {
		p.Out.Printf("the run was made with QEMU %s, this is %s", run.QEMU, version)
	}
	machine := provision.Machine(p.Settings, version)
	machine.CPU, machine.VCPUs, machine.Memory = run.Guest.CPU, run.Guest.VCPUs, run.Guest.Memory
	img, err := Image(ctx, p, past)
	if err != nil {
		return runner.Job{}, err
	}
	return runner.Job{
		Matrix: &matrix.Matrix{Isolation: run.Isolation, Timeout: run.Timeout, Engine: run.Engine, Shift: run.Shift, Seed: run.Seed},
		Cells:  run.Cells, Commands: run.Commands, Kernel: run.Kernels[0].Asked, Go: run.Go, Machine: machine, Store: p.Store,
		Image: map[string]*images.Image{past.ImageName(): img},
	}, nil
}

// Image returns the image of a past trial: as it is in the store, or else made again,
// which must give the same bytes.
func Image(ctx context.Context, p provision.Provider, past *Past) (*images.Image, error) {
	was := past.Run.Images[past.ImageName()]
	own, err := initramfs.Sum(ctx, p.Store)
	if err != nil {
		return nil, err
	}
	if own != was.Init {
		return nil, &ChangedError{what: "init"}
	}
	img, err := images.Open(p.Store, was)
	if err == nil || !errors.Is(err, fs.ErrNotExist) {
		return img, err
	}
	p.Out.Printf("the run's image is not in the cache; making it again")
	s, err := p.ScenarioOf(past.Run)
	if err != nil {
		return nil, err
	}
	kernel := past.Run.KernelOf(past.Cell())
	p.Settings.Kernel = kernel.Asked
	if p, err = p.WithTree(ctx, past.Run, kernel); err != nil {
		return nil, err
	}
	k, err := p.Kernel(ctx, false)
	if err != nil {
		return nil, err
	}
	if img, err = images.Ensure(ctx, p.Store, k, s.Program(), past.GoVersion()); err != nil {
		return nil, err
	}
	if !img.Manifest.Same(was) {
		return nil, &ChangedError{what: changed(was, img.Manifest), scenario: s.Program().Dir}
	}
	return img, nil
}

func changed(was, is images.Manifest) string {
	if was.Kernel != is.Kernel {
		return "kernel"
	}
	return "program"
}

// ChangedError says that a past trial's image cannot be had any more.
type ChangedError struct{ what, scenario string }

func (e *ChangedError) Error() string {
	return fmt.Sprintf("the %s is not the one the trial ran with: it has another digest", e.what)
}

// BadInput marks what the user can mend, see usage.IsBadInput.
func (*ChangedError) BadInput() {}

// Hint says what to do about it.
func (e *ChangedError) Hint() string {
	switch e.what {
	case "kernel":
		return "name the run's kernel with --kernel-source (run.json says which)"
	case "program":
		return "check out the version of " + e.scenario + " that the run was made with"
	}
	return "init is part of lab: use the lab that made the run (run.json names its version)"
}
