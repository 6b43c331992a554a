package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"ghostlab/images"
	"ghostlab/lab/crash"
	"ghostlab/lab/hunt"
	"ghostlab/lab/journal"
	"ghostlab/lab/live"
	"ghostlab/lab/matrix"
	"ghostlab/lab/progress"
	"ghostlab/lab/qemu"
	"ghostlab/lab/report"
	"ghostlab/lab/runner"
	"ghostlab/lab/vm"

	"al.essio.dev/pkg/shellescape"
)

// experiment is a matrix with how it is to be run.
type experiment struct {
	matrix *matrix.Matrix
	file   string // that it came from
	text   []byte // the file's; nil without one
	shard  matrix.Shard
	// guests at once; zero means what the host allows.
	guests int
	holds  int // guests to hold at their crash
	verify float64
	json   bool
	hunt   *hunting // nil unless the matrix is one of `lab hunt`
	done   []int    // the results that a run has which goes on, by cell; for dryRun
	// resumed is the run that goes on; nil begins a new one.
	resumed *journal.Folder
}

// hunting is what a hunt is for and what it has found.
type hunting struct {
	wanted func(journal.Trial) bool
	arms   []hunt.Arm // nil means all
	enough int
	limit  time.Duration
	trials int
	found  []journal.Trial
}

func (h *hunting) tried(t journal.Trial) {
	h.trials++
	if h.wanted(t) {
		h.found = append(h.found, t)
	}
}

// execute makes what the matrix needs, runs it and prints the result. It returns
// the run's folder.
func (a *app) execute(ctx context.Context, e experiment) (dir string, err error) {
	m := e.matrix
	vm.CleanStale()
	st, out, err := a.open()
	if err != nil {
		return "", err
	}
	defer out.Close()
	version, err := qemu.Version(ctx, a.cfg.QEMU)
	if err != nil {
		return "", err
	}
	cells := m.Cells()
	machine := a.machine(version)
	if err := a.checkModels(ctx, m, cells, machine.Engine.Accelerator); err != nil {
		return "", err
	}
	boot, err := a.bootables(ctx, st, out, m, cells)
	if err != nil {
		return "", err
	}
	record := plan(m)
	record.Started, record.Lab, record.Matrix, record.Shard = time.Now().UTC(), labVersion(), e.file, e.shard
	record.Kernels, record.Images = asked(boot.kernels), map[string]images.Manifest{}
	record.Go, record.QEMU, record.Host = a.cfg.Go, version, hostInfo()
	record.Guest = journal.Guest{CPU: machine.CPU, VCPUs: machine.VCPUs, Memory: machine.Memory, Accelerator: machine.Engine.Accelerator}
	if record.Races() {
		if machine.Fence, record.MemoryOrder, err = a.memoryOrder(ctx, st, out, version, boot.kernels[0]); err != nil {
			return "", err
		}
	}
	record.Commands = runner.Commands(m.Scenario, record.Cells)
	record.Sessions = []journal.Session{{Started: record.Started, Lab: record.Lab, QEMU: version, Host: record.Host, FirstVM: 1, MemoryOrder: record.MemoryOrder}}
	record.ID = record.Started.Format(journal.IDTime) + "-" + m.Scenario.Name
	source := m.Scenario.Program()
	machine.About.Source = &source
	job := runner.Job{
		Matrix: m, Cells: record.Cells, Commands: record.Commands, Image: boot.images, Kernel: boot.kernels[0].Asked, Go: a.cfg.Go,
		Machine: machine, Store: st, Parallel: a.guests(e.guests, m, record.Cells, machine), Verify: e.verify,
	}
	if err := hold(&job, e.holds, out); err != nil {
		return "", err
	}
	if m.Scenario.Program().Tests {
		job.Refuse = crash.Idle
	}
	if e.hunt != nil {
		job.Wanted, job.Enough, job.Arms = e.hunt.wanted, e.hunt.enough, e.hunt.arms
	}
	for name, img := range boot.images {
		record.Images[name] = img.Manifest
	}
	warnSame(out, record.Kernels)
	if job.Folder, err = a.folder(e, record); err != nil {
		return "", err
	}
	// Now it is known which run that is: it may be one that goes on.
	job.Machine.About.Run, job.Machine.About.Folder = job.Folder.Run().ID, absolute(job.Folder.Dir())
	a.events.Plan(job.Folder.Run(), job.Folder.Dir())
	runErr := a.carryOut(ctx, job, e.hunt, out)
	if err := job.Folder.Close(); err != nil {
		runErr = errors.Join(runErr, err)
	}
	out.Close() // the table must not share the terminal with bars
	return job.Folder.Dir(), a.conclude(job.Folder.Dir(), e.json, runErr)
}

// carryOut runs the job with its progress on the terminal.
func (a *app) carryOut(ctx context.Context, job runner.Job, h *hunting, out *progress.Output) error {
	m := job.Matrix
	view := live.New(out, live.Plan{Title: m.Scenario.Name, Axes: m.Varied(), Cells: job.Cells, Trials: m.Trials, Shard: job.Folder.Run().Shard, Stop: m.Stop, Hunt: h != nil})
	defer view.End()
	run := job.Folder.Run()
	if _, err := journal.Open(job.Folder.Dir(), view.Past); err != nil {
		return err
	}
	stopped := map[int]bool{}
	for _, s := range run.Stopped {
		stopped[s.Cell] = true
		view.Stopped(s.Cell)
	}
	job.Trial = func(t journal.Trial) {
		view.Trial(t)
		a.events.Trial(t)
		if !stopped[t.Cell] && job.Folder.Stopped(t.Cell) {
			stopped[t.Cell] = true
			view.Stopped(t.Cell)
			a.events.Stopped(t.Cell)
		}
		if h != nil {
			h.tried(t)
		}
	}
	if h != nil {
		limited, cancel := context.WithTimeoutCause(ctx, h.limit, errLimit)
		defer cancel()
		ctx = limited
	}
	job.Notice = func(text string) {
		out.Printf("%s", text)
		a.events.Trouble(text)
	}
	if a.verbose {
		job.Boot = func(byHand string) {
			out.Printf("%s", byHand)
			a.events.Guest(byHand)
		}
	}
	err := runner.Run(ctx, job)
	if errors.Is(err, context.DeadlineExceeded) && context.Cause(ctx) == errLimit {
		return nil
	}
	return err
}

// errLimit is why a hunt without a find ends.
var errLimit = errors.New("time limit of the hunt")

// conclude prints what was found and writes the run's HTML report, also after an
// interruption or a failure.
func (a *app) conclude(dir string, asJSON bool, runErr error) error {
	var lost *journal.WriteError
	errors.As(runErr, &lost)
	if errors.As(runErr, new(*journal.GoneError)) {
		return lost // what is in dir now, if anything, is not this run
	}
	s, err := report.Read(dir)
	if err != nil {
		return errors.Join(runErr, err)
	}
	results, infra := s.Results()
	if results+infra > 0 || runErr == nil {
		if err := s.WriteFile(report.HTML, s.HTMLFile()); err != nil && runErr != nil {
			fmt.Fprintf(a.stderr, "lab: %v\n", err)
		} else if err != nil {
			runErr = err
		}
		print := s.Terminal
		if asJSON {
			print = s.JSON
		}
		if err := print(a.stdout); err != nil {
			return errors.Join(runErr, err)
		}
	}
	if !s.Hunted() && (runErr != nil && s.Missing > 0 || infra > 0) {
		fmt.Fprintf(a.stderr, "lab: %d of %d trials have a result; for the others: %s\n", results, s.Planned, shellescape.QuoteCommand([]string{"lab", "run", "--resume", report.Near(dir)}))
	}
	switch {
	case errors.Is(runErr, context.Canceled) && lost != nil:
		fmt.Fprintf(a.stderr, "lab: interrupted; %d finished trials are in %s\n", results, dir)
		return lost
	case errors.Is(runErr, context.Canceled):
		fmt.Fprintf(a.stderr, "lab: interrupted; %d finished trials are kept in %s\n", results, dir)
		return silentError{exitInterrupted}
	case runErr != nil:
		return runErr
	case infra > 0:
		return silentError{exitInfra}
	case s.Unmet() > 0:
		return silentError{exitDiffers}
	}
	return nil
}
