// Package runner carries out a plan: it spreads trials over guests, classifies
// what comes back, writes the journal, and tries again where infrastructure
// failed. It does not know what a result means.
package runner

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"ghostlab/images"
	"ghostlab/initramfs/wire"
	"ghostlab/lab/crash"
	"ghostlab/lab/journal"
	"ghostlab/lab/matrix"
	"ghostlab/lab/vm"
	"ghostlab/scenarios"
)

const (
	// attempts is how often a trial is begun before an infrastructure failure
	// becomes its record.
	attempts = 3
	// batchSize is the number of trials in one guest where they share it: enough
	// that a boot of 0.7 s is a small part, few enough that one guest's
	// condition says little about the whole.
	batchSize = 50
	// samples is the number of passing trials of a cell whose fault records
	// are kept. Those of failing trials always are.
	samples = 5
)

// Job is a plan with everything that it needs to run.
type Job struct {
	Matrix *matrix.Matrix
	Cells  []matrix.Cell
	// Image returns the image for a toolchain.
	Image map[string]*images.Image
	// Go is the toolchain of cells without that axis.
	Go string
	// Machine is the guest; VCPUs gives way to an axis of that name. Kernel,
	// Initramfs, Spec and Dir are filled in.
	Machine vm.Config
	// Parallel is the number of guests at once. Zero means 1.
	Parallel int
	Folder   *journal.Folder
	// Trial, when set, is told of each finished trial, Boot of each guest's
	// command line, Trouble of failures that are tried again. They are not
	// called at the same time.
	Trial   func(journal.Trial)
	Boot    func(byHand string)
	Trouble func(err error)
}

// trial is one that is still to be done.
type trial struct {
	n, cell  int
	attempts int
	last     error
	faults   bool
}

// guestKind is what trials must have in common to share a guest.
type guestKind struct {
	goVersion string
	vcpus     int
}

type run struct {
	Job
	mu      sync.Mutex
	queues  map[guestKind][]*trial
	kinds   []guestKind
	vms     int
	running int
	idle    *sync.Cond
	err     error
	// barren counts guests in a row that gave no result at all.
	barren int
	stop   context.CancelFunc
}

// Run carries out the job. It returns the context's error when that ends it;
// what was done by then is in the journal.
func Run(ctx context.Context, job Job) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	r := &run{Job: job, queues: map[guestKind][]*trial{}, stop: stop}
	r.idle = sync.NewCond(&r.mu)
	seen := make([]int, len(job.Cells))
	for i, cell := range job.Matrix.Order() {
		k, err := r.kind(job.Cells[cell])
		if err != nil {
			return err
		}
		if _, ok := r.queues[k]; !ok {
			r.kinds = append(r.kinds, k)
		}
		r.queues[k] = append(r.queues[k], &trial{n: i + 1, cell: cell, faults: seen[cell] < samples})
		seen[cell]++
	}
	unwait := context.AfterFunc(ctx, func() {
		r.mu.Lock()
		r.idle.Broadcast()
		r.mu.Unlock()
	})
	defer unwait()

	var workers sync.WaitGroup
	for range max(job.Parallel, 1) {
		workers.Go(func() {
			for {
				kind, batch, n := r.next(ctx)
				if batch == nil {
					return
				}
				r.guest(ctx, kind, batch, n)
			}
		})
	}
	workers.Wait()
	if r.err != nil {
		return r.err
	}
	return ctx.Err()
}

func (r *run) kind(c matrix.Cell) (guestKind, error) {
	k := guestKind{goVersion: r.Go, vcpus: r.Machine.VCPUs}
	if v := c.Axes[matrix.AxisGo]; v != "" {
		k.goVersion = v
	}
	if v := c.Axes[matrix.AxisVCPUs]; v != "" {
		if _, err := fmt.Sscan(v, &k.vcpus); err != nil {
			return k, err
		}
	}
	return k, nil
}

// next takes a batch off the fullest queue. It waits while other workers may
// still give trials back, and returns nil when all is done.
func (r *run) next(ctx context.Context) (guestKind, []*trial, int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for ctx.Err() == nil && r.err == nil {
		var best guestKind
		for _, k := range r.kinds {
			if len(r.queues[k]) > len(r.queues[best]) {
				best = k
			}
		}
		if q := r.queues[best]; len(q) > 0 {
			size := min(len(q), batchSize)
			if r.Matrix.Isolation == "boot" {
				size = 1
			}
			r.queues[best] = q[size:]
			r.vms++
			r.running++
			return best, q[:size:size], r.vms
		}
		if r.running == 0 {
			return best, nil, 0
		}
		r.idle.Wait()
	}
	return guestKind{}, nil, 0
}

// guest runs one guest with a batch of trials and gives back what it has not done.
func (r *run) guest(ctx context.Context, kind guestKind, batch []*trial, n int) {
	b := &batchState{run: r, vm: n, left: batch}
	cfg := r.Machine
	img := r.Image[kind.goVersion]
	cfg.Kernel, cfg.Initramfs = img.Kernel.Image(), img.Initramfs
	cfg.VCPUs = kind.vcpus
	cfg.Dir = r.Folder.VM(n)
	// A hung kernel says nothing; a slow host says something in time.
	cfg.Silence = 2*r.Matrix.Timeout + 30*time.Second
	for _, t := range batch {
		cfg.Spec.Trials = append(cfg.Spec.Trials, r.spec(t))
	}
	cfg.Started = func(byHand, _ string) {
		r.mu.Lock()
		defer r.mu.Unlock()
		if r.Boot != nil {
			r.Boot(byHand)
		}
	}
	end, err := vm.Run(ctx, cfg, b.receive)
	b.finish(ctx, end, err)
}

func (r *run) spec(t *trial) wire.Trial {
	cell := r.Cells[t.cell]
	w := Spec(r.Matrix.Scenario, cell.Axes, cell.Env(), t.n, r.Matrix.Timeout)
	w.Faults = t.faults
	return w
}

// Spec is what the guest is told of a trial: the scenario's program with the
// values given, and env after the scenario's own environment, so that it wins.
// A timeout of zero is no limit.
func Spec(s *scenarios.Scenario, values map[string]string, env []string, id int, timeout time.Duration) wire.Trial {
	args, params := s.Command(values)
	return wire.Trial{
		ID:      id,
		Argv:    append([]string{images.ProgramPath}, args...),
		Env:     append(append(baseEnv(), params...), env...),
		Timeout: timeout,
	}
}

// baseEnv is the environment of every trial. GOTRACEBACK=system shows the
// runtime's frames too, which a signature needs.
func baseEnv() []string {
	return []string{"HOME=/tmp", "TMPDIR=/tmp", "PATH=/bin", "GOTRACEBACK=system"}
}

// fail ends the run with an error that no other attempt can mend.
func (r *run) fail(err error) {
	r.mu.Lock()
	if r.err == nil {
		r.err = err
	}
	r.mu.Unlock()
	r.stop()
}

// giveBack returns trials to their queue and ends the worker's turn.
func (r *run) giveBack(ctx context.Context, again []*trial, results int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if results > 0 {
		r.barren = 0
	} else if ctx.Err() == nil {
		r.barren++
	}
	for _, t := range again {
		k, _ := r.kind(r.Cells[t.cell])
		r.queues[k] = append(r.queues[k], t)
	}
	r.running--
	r.idle.Broadcast()
}

func (r *run) trouble(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.Trouble != nil && !errors.Is(err, context.Canceled) {
		r.Trouble(err)
	}
}

// record writes a finished trial.
func (r *run) record(t journal.Trial, evidence journal.Evidence) bool {
	t.Ended = time.Now().UTC()
	if err := r.Folder.Append(t, evidence); err != nil {
		r.fail(err)
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.Trial != nil {
		r.Trial(t)
	}
	return true
}

// infra records a trial that could not be done.
func (r *run) infra(t *trial, vm int) {
	r.record(journal.Trial{N: t.n, Cell: t.cell, Outcome: crash.Infra, VM: vm, Attempts: t.attempts, Error: t.last.Error()}, nil)
}
