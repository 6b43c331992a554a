package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"ghostlab/images"
	"ghostlab/lab/journal"
	"ghostlab/lab/matrix"
	"ghostlab/lab/progress"
	"ghostlab/lab/qemu"
	"ghostlab/lab/report"
	"ghostlab/lab/runner"
	"ghostlab/lab/vm"
	"ghostlab/scenarios"
)

type runFlags struct {
	trials, guests    int
	engine, isolation string
	seed              uint64
	verify            float64
	yes               bool
	json              bool
}

func (a *app) runCommand() *cobra.Command {
	var f runFlags
	cmd := &cobra.Command{
		Use:   "run MATRIX.yaml",
		Short: "Run a matrix and say how often each cell crashed",
		Long: `Run a matrix and say how often each cell crashed. Ctrl-C ends the run and keeps the
trials that have finished. A matrix is a file such as

  scenario: ghost-map
  trials: 100            # of each cell
  axes:
    gomaxprocs: [1, 2]   # a parameter of the scenario; also go, vcpus and env.NAME`,
		Example: `  lab run scenarios/ghost-map/matrix.yaml
  lab run matrix.yaml --trials 500 --go 1.24.6
  lab run matrix.yaml --kernel-source ~/src/linux --json > result.json`,
		Args: exactly("a matrix file"),
		RunE: func(cmd *cobra.Command, args []string) error { return a.run(cmd, args[0], f) },
	}
	cmd.Flags().IntVar(&f.trials, "trials", 0, "`number` of trials of each cell, instead of the file's")
	cmd.Flags().IntVarP(&f.guests, "guests", "j", 0, "`number` of guests at once (default: what the cores and the memory allow)")
	cmd.Flags().StringVar(&f.engine, "engine", "", "`name` of the engine, parallel or deterministic, instead of the file's")
	cmd.Flags().StringVar(&f.isolation, "isolation", "", "`kind` of isolation, fork, process or boot, instead of the file's")
	cmd.Flags().Uint64Var(&f.seed, "seed", 0, "`seed` of the order and of each trial, instead of the file's")
	cmd.Flags().Float64Var(&f.verify, "verify", 2, "`percentage` of deterministic trials that are run twice and compared")
	cmd.Flags().BoolVar(&f.yes, "yes", false, fmt.Sprintf("run a matrix of more than %d trials", matrix.Most))
	cmd.Flags().BoolVar(&f.json, "json", false, "print the result as one JSON document")
	return cmd
}

func (a *app) run(cmd *cobra.Command, file string, f runFlags) error {
	ctx := cmd.Context()
	m, err := a.matrix(file)
	if err != nil {
		return err
	}
	if err := f.override(cmd, m); err != nil {
		return err
	}
	if n := m.Size(); n > matrix.Most && !f.yes {
		return &matrix.SizeError{Trials: n}
	}
	vm.CleanStale()
	st, out, err := a.open()
	if err != nil {
		return err
	}
	defer out.Close()
	version, err := qemu.Version(a.cfg.QEMU)
	if err != nil {
		return err
	}
	k, err := a.kernel(ctx, st, out, false)
	if err != nil {
		return err
	}
	record := journal.Run{
		Started: time.Now().UTC(), Lab: labVersion(),
		Scenario: m.Scenario.Name, Matrix: file, Trials: m.Trials, Timeout: m.Timeout, Seed: m.Seed,
		Engine: m.Engine, Shift: m.Shift, Isolation: m.Isolation, Axes: m.Axes, Cells: m.Cells(),
		Kernel: journal.Kernel{Asked: k.Asked, Ran: k.Ran, StandIn: k.StandIn, Why: k.Why, Source: k.Manifest.Source},
		Go:     a.cfg.Go, QEMU: version, Host: hostInfo(),
		Guest:  journal.Guest{CPU: a.cfg.CPU, VCPUs: a.cfg.CPUs, Memory: a.cfg.Memory},
		Images: map[string]images.Manifest{},
	}
	record.Commands = runner.Commands(m.Scenario, record.Cells)
	record.ID = record.Started.Format("20060102-150405") + "-" + m.Scenario.Name
	job := runner.Job{
		Matrix: m, Cells: record.Cells, Commands: record.Commands, Image: map[string]*images.Image{}, Go: a.cfg.Go,
		Machine: a.machine(version), Store: st, Parallel: a.guests(f.guests), Verify: f.verify / 100,
	}
	for _, version := range toolchains(m, a.cfg.Go) {
		img, err := images.Ensure(ctx, st, k, m.Scenario.ReproDir(), version)
		if err != nil {
			return err
		}
		job.Image[version], record.Images[version] = img, img.Manifest
	}
	if job.Folder, err = journal.Create(a.cfg.Runs, record); err != nil {
		return err
	}
	runErr := a.carryOut(ctx, job, out)
	if err := job.Folder.Close(); err != nil {
		runErr = errors.Join(runErr, err)
	}
	out.Close() // the table must not share the terminal with bars
	return a.conclude(job.Folder, f.json, runErr)
}

// override puts the flags given in the place of the file's values.
func (f runFlags) override(cmd *cobra.Command, m *matrix.Matrix) error {
	changed := cmd.Flags().Changed
	wrong := func(flag, want string, got any) error {
		return usageError{fmt.Errorf("--%s: want %s, got %v", flag, want, got), ""}
	}
	if changed("trials") {
		if f.trials < 1 {
			return wrong("trials", "at least 1", f.trials)
		}
		m.Trials = f.trials
	}
	if changed("engine") {
		if f.engine != matrix.Parallel && f.engine != matrix.Deterministic {
			return wrong("engine", "parallel or deterministic", f.engine)
		}
		m.Engine = f.engine
	}
	if changed("isolation") {
		switch f.isolation {
		case matrix.Fork, matrix.Process, matrix.Boot:
			m.Isolation = f.isolation
		default:
			return wrong("isolation", "fork, process or boot", f.isolation)
		}
	}
	if changed("seed") {
		m.Seed = f.seed
	}
	if f.guests < 0 {
		return wrong("guests", "at least 1", f.guests)
	}
	if f.verify < 0 || f.verify > 100 {
		return wrong("verify", "a percentage", f.verify)
	}
	return nil
}

// carryOut runs the job with its progress on the terminal.
func (a *app) carryOut(ctx context.Context, job runner.Job, out *progress.Output) error {
	live := newCellProgress(out, job.Matrix, job.Cells)
	defer live.end()
	job.Trial = live.trial
	job.Notice = func(text string) { out.Printf("%s", text) }
	if a.verbose {
		job.Boot = func(byHand string) { out.Printf("%s", byHand) }
	}
	return runner.Run(ctx, job)
}

// conclude prints what was found, also after an interruption or a failure.
func (a *app) conclude(folder *journal.Folder, asJSON bool, runErr error) error {
	s, err := report.Read(folder.Dir())
	if err != nil {
		return errors.Join(runErr, err)
	}
	results, infra := s.Results()
	if results+infra > 0 || runErr == nil {
		print := s.Terminal
		if asJSON {
			print = s.JSON
		}
		if err := print(a.stdout); err != nil {
			return errors.Join(runErr, err)
		}
	}
	switch {
	case errors.Is(runErr, context.Canceled):
		fmt.Fprintf(a.stderr, "lab: interrupted; %d finished trials are kept in %s\n", results, folder.Dir())
		return silentError{exitInterrupted}
	case runErr != nil:
		return runErr
	case infra > 0:
		return silentError{exitInfra}
	}
	return nil
}

// matrix reads a matrix file and the scenario it names.
func (a *app) matrix(file string) (*matrix.Matrix, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, usageError{err, "name a matrix file, such as scenarios/ghost-map/matrix.yaml"}
	}
	return matrix.Parse(file, text, func(name string) (*scenarios.Scenario, error) {
		return scenarios.Find(a.cfg.Scenarios, name)
	})
}

func toolchains(m *matrix.Matrix, preset string) []string {
	for _, ax := range m.Axes {
		if ax.Name == matrix.AxisGo {
			return ax.Values
		}
	}
	return []string{preset}
}

// cellProgress shows how far each cell has come.
type cellProgress struct {
	tasks map[int]*progress.Task
	bad   map[int]int
	all   bool // one task for all cells
}

func newCellProgress(out *progress.Output, m *matrix.Matrix, cells []matrix.Cell) *cellProgress {
	p := &cellProgress{tasks: map[int]*progress.Task{}, bad: map[int]int{}}
	if p.all = len(cells) > out.Rows(); p.all {
		p.tasks[0] = out.Steps(fmt.Sprintf("%s, %d cells, %d trials", m.Scenario.Name, len(cells), m.Size()), int64(m.Size()))
		return p
	}
	for _, c := range cells {
		p.tasks[c.Index] = out.Steps(c.Label(m.Axes), int64(m.Trials))
	}
	return p
}

func (p *cellProgress) trial(t journal.Trial) {
	i := t.Cell
	if p.all {
		i = 0
	}
	if t.Outcome != "pass" && t.Outcome != "infra" {
		p.bad[i]++
	}
	p.tasks[i].Note(fmt.Sprintf("%d failed", p.bad[i]))
	p.tasks[i].Add(1)
}

func (p *cellProgress) end() {
	for _, t := range p.tasks {
		t.End()
	}
}
