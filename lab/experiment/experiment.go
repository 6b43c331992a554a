// Package experiment runs a matrix: it makes what the cells need, gives the run its
// folder and its plan, and has lab/runner carry it out; it goes on with a run that was
// ended early, searches for failures, and says beforehand what a run would do. What a
// result means, and how it is printed, belongs to lab/report and lab/cli.
package experiment

import (
	"context"
	"errors"
	"runtime"
	"time"

	"ghostlab/images"
	"ghostlab/lab/crash"
	"ghostlab/lab/host"
	"ghostlab/lab/hunt"
	"ghostlab/lab/journal"
	"ghostlab/lab/live"
	"ghostlab/lab/matrix"
	"ghostlab/lab/provision"
	"ghostlab/lab/qemu"
	"ghostlab/lab/runner"
	"ghostlab/lab/vm"
)

// Experiment is a matrix with how it is to be run.
type Experiment struct {
	Matrix *matrix.Matrix
	// File is the matrix file as it was named, and Text what is in it; empty and nil
	// for a matrix that has none.
	File  string
	Text  []byte
	Shard matrix.Shard
	// Guests is the number of guests at once; zero means what the host allows.
	Guests int
	// Holds is the number of guests to hold at their crash.
	Holds int
	// Verify is the share of deterministic trials that are run twice, from 0 to 1.
	Verify float64
	// Hunt is what the search of a matrix is for; nil for one that is measured.
	Hunt *Hunt
	// Resumed is the run that goes on; nil begins a new one.
	Resumed *journal.Folder
	// Done are the results that a run has which would go on, by cell, for DryRun.
	Done []int
}

// Hunt is what a search is for, and what it has found.
type Hunt struct {
	// Wanted says whether a trial is one that is searched for.
	Wanted func(journal.Trial) bool
	// Enough is the number of wanted trials that end the search, Limit the time
	// after which it gives up.
	Enough int
	Limit  time.Duration
	// Arms are the settings that are tried; nil means all.
	Arms []hunt.Arm

	// Trials is the number of those that were tried, Found are the wanted ones.
	Trials int
	Found  []journal.Trial
}

func (h *Hunt) tried(t journal.Trial) {
	h.Trials++
	if h.Wanted(t) {
		h.Found = append(h.Found, t)
	}
}

// Lab is what experiments are run with.
type Lab struct {
	provision.Provider
	// Version identifies this build of lab in run.json.
	Version string
	// Events, when set, is told of what happens; Verbose shows each guest's command.
	Events  *live.Events
	Verbose bool
}

// Run makes what the matrix needs and runs it. It returns the run's folder, which is
// empty where the run has not begun. An error beside a folder is why the run ended
// early: what was done by then is in the folder.
func (l Lab) Run(ctx context.Context, e Experiment) (dir string, err error) {
	vm.CleanStale()
	job, record, err := l.prepare(ctx, e)
	if err == nil {
		err = l.hold(&job, e.Holds)
	}
	if err != nil {
		return "", err
	}
	provision.WarnSame(l.Out, record.Kernels)
	if job.Folder, err = l.folder(e, record); err != nil {
		return "", err
	}
	dir = job.Folder.Dir()
	// Now it is known which run that is: it may be one that goes on.
	job.Machine.About.Run, job.Machine.About.Folder = job.Folder.Run().ID, vm.FolderName(dir)
	l.Events.Plan(job.Folder.Run(), dir)
	err = l.carryOut(ctx, job, e.Hunt)
	return dir, errors.Join(err, job.Folder.Close())
}

// prepare makes what the matrix needs, and returns the job without its folder, and what
// run.json says of it.
func (l Lab) prepare(ctx context.Context, e Experiment) (job runner.Job, record journal.Run, err error) {
	m := e.Matrix
	version, err := qemu.Version(ctx, l.Settings.QEMU)
	if err != nil {
		return job, record, err
	}
	cells := m.Cells()
	machine := provision.Machine(l.Settings, version)
	if err := provision.CheckModels(ctx, l.Settings.QEMU, m, cells, machine.Engine.Accelerator); err != nil {
		return job, record, err
	}
	boot, err := l.Bootable(ctx, m, cells)
	if err != nil {
		return job, record, err
	}
	record = PlanOf(m)
	record.Started, record.Lab, record.Matrix, record.Shard = time.Now().UTC(), l.Version, e.File, e.Shard
	record.Kernels, record.Images = provision.Asked(boot.Kernels), map[string]images.Manifest{}
	for name, img := range boot.Images {
		record.Images[name] = img.Manifest
	}
	record.Go, record.QEMU = l.Settings.Go, version
	record.Host = journal.Host{OS: runtime.GOOS, Arch: runtime.GOARCH, CPU: host.CPU(), Cores: runtime.NumCPU()}
	record.Guest = journal.Guest{CPU: machine.CPU, VCPUs: machine.VCPUs, Memory: machine.Memory, Accelerator: machine.Engine.Accelerator}
	if record.Races() {
		if machine.Fence, record.MemoryOrder, err = l.MemoryOrder(ctx, version, boot.Kernels[0]); err != nil {
			return job, record, err
		}
	}
	record.Commands = runner.Commands(m.Scenario, record.Cells)
	record.Sessions = []journal.Session{{Started: record.Started, Lab: record.Lab, QEMU: version, Host: record.Host, FirstVM: 1, MemoryOrder: record.MemoryOrder}}
	record.ID = record.Started.Format(journal.IDTime) + "-" + m.Scenario.Name
	source := m.Scenario.Program()
	machine.About.Source = &source
	job = runner.Job{
		Matrix: m, Cells: record.Cells, Commands: record.Commands, Image: boot.Images, Kernel: boot.Kernels[0].Asked, Go: l.Settings.Go,
		Machine: machine, Store: l.Store, Parallel: provision.Guests(e.Guests, l.Settings.Jobs, m, record.Cells, machine), Verify: e.Verify,
	}
	if source.Tests {
		job.Refuse = crash.Idle
	}
	if h := e.Hunt; h != nil {
		job.Wanted, job.Enough, job.Arms = h.Wanted, h.Enough, h.Arms
	}
	return job, record, nil
}
