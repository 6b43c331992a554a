// Package runner carries out a plan: it spreads trials over guests, classifies
// what comes back, writes the journal, and tries again where infrastructure
// failed. It does not know what a result means.
package runner

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"ghostlab/gdb/ends"
	"ghostlab/images"
	"ghostlab/lab/crash"
	"ghostlab/lab/hunt"
	"ghostlab/lab/journal"
	"ghostlab/lab/matrix"
	"ghostlab/lab/store"
	"ghostlab/lab/vm"
)

// attempts is how often a trial is begun before an infrastructure failure
// becomes its record.
const attempts = 3

// Job is a plan with everything that it needs to run.
type Job struct {
	Matrix *matrix.Matrix
	Cells  []matrix.Cell
	// Commands are what the cells' trials execute, see the function.
	Commands []journal.Command
	// Image are the images that the cells boot, by images.Name.
	Image map[string]*images.Image
	// Kernel and Go are the series and the toolchain of cells without an axis of
	// that name.
	Kernel, Go string
	// Machine is the guest; VCPUs gives way to an axis of that name. What
	// depends on the trial is filled in.
	Machine vm.Config
	// Store keeps the templates that guests are forked from.
	Store *store.Store
	// Parallel is the number of guests at once. Zero means 1.
	Parallel int
	// Verify is the share of deterministic guests that are run a second time,
	// to see whether they repeat: 0.02 is one of fifty, and at least one. Zero
	// checks none.
	Verify float64
	// Folder is the run's. The trials that it has a result of are not run again.
	Folder *journal.Folder
	// Enough is how many wanted trials end the run; zero means that all are
	// run. Wanted says which they are, and what a hunt is for; nil means those
	// that Failed.
	Wanted func(journal.Trial) bool
	Enough int
	// Arms are what a hunt tries; nil means all of hunt.Arms.
	Arms []hunt.Arm
	// Hold, when set, is where the kernel of that image lets programs end: guests
	// of trials that fail are held there, see vm.Hold, while fewer than Holds are.
	// Held is told of each and of its trial. A deterministic trial is left alone: it
	// is run once more for that, and again for its core.
	Hold  map[string]*ends.Place
	Holds int
	Held  func(trial int)
	// Refuse, when set, looks at the output of each trial that passed. An error
	// says why it is no result at all, and ends the run.
	Refuse func(output []byte) error
	// Trial, when set, is told of each finished trial, Boot of each guest's
	// command line, Notice of what the researcher should know: failures that
	// are tried again, a choice that the lab made. They are not called at the
	// same time.
	Trial  func(journal.Trial)
	Boot   func(byHand string)
	Notice func(text string)
}

// trial is one that a guest is to do.
type trial struct {
	n, cell  int
	schedule matrix.Schedule
	attempts int
	last     error
	faults   bool
}

type run struct {
	Job
	ctx    context.Context
	stop   context.CancelFunc
	checks checks

	mu      sync.Mutex
	idle    *sync.Cond
	deck    *deck
	kinds   []guestKind    // of the deck's groups
	failed  map[int]*trial // that are to be tried again
	vms     int
	running int
	workers int
	holding int // guests that are held
	// beside runs a function beside the workers.
	beside func(func())
	err    error
	// hunts are the searches of each cell, and wanted what they have found.
	hunts  []*hunt.Hunt
	pace   []map[hunt.Arm]time.Duration // host time of a trial in a warm guest
	wanted []journal.Found
	// hopeless are kinds of guests that were given up, and fruitful those whose last
	// guests gave results.
	hopeless map[guestKind]*hopelessError
	fruitful map[guestKind]bool
	// templates are those that guests of a kind are forked from.
	templates map[guestKind]*lazyTemplate
}

// Run carries out the job. It returns the context's error when that ends it;
// what was done by then is in the journal.
func Run(ctx context.Context, job Job) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	r := newRun(ctx, stop, job)
	if job.Matrix.Search == matrix.Hunt {
		r.startHunts()
	}
	r.lay()
	unwait := context.AfterFunc(ctx, func() {
		r.mu.Lock()
		r.idle.Broadcast()
		r.mu.Unlock()
	})
	defer unwait()

	var workers sync.WaitGroup
	r.beside = workers.Go
	for range r.Parallel {
		r.hire()
	}
	workers.Wait()
	if err := errors.Join(r.err, r.endHunts()); err != nil || r.found() {
		return err
	}
	if err := r.verify(); err != nil {
		return err
	}
	return ctx.Err()
}

func newRun(ctx context.Context, stop context.CancelFunc, job Job) *run {
	r := &run{
		Job: job, ctx: ctx, stop: stop, failed: map[int]*trial{}, templates: map[guestKind]*lazyTemplate{},
		hopeless: map[guestKind]*hopelessError{}, fruitful: map[guestKind]bool{},
	}
	r.Parallel = max(r.Parallel, 1)
	r.idle = sync.NewCond(&r.mu)
	return r
}

// lay lays out the trials: those that can share a guest are a group, or, in a
// hunt, those of a cell.
func (r *run) lay() {
	group := make([]int, len(r.Cells))
	for i, c := range r.Cells {
		if r.hunts != nil {
			group[i] = i
			continue
		}
		k := r.kind(&trial{cell: i, schedule: r.Matrix.Schedule(c, 0, r.Machine.VCPUs)})
		if group[i] = slices.Index(r.kinds, k); group[i] < 0 {
			group[i] = len(r.kinds)
			r.kinds = append(r.kinds, k)
			r.explain(k, c)
		}
	}
	r.vms = r.Folder.VMs()
	order := matrix.Order(len(r.Cells), r.Matrix.Trials, r.Matrix.Seed)
	r.deck = newDeck(order, group, r.Folder.Run().Shard, r.Folder.Done(), r.Matrix.Collect.Passes)
	for i := range r.Cells {
		if r.Folder.Stopped(i) {
			r.deck.drop(i)
		}
	}
}

// trial returns a trial by its number.
func (r *run) trial(n int) *trial {
	if t, ok := r.failed[n]; ok {
		delete(r.failed, n)
		return t
	}
	cell := r.deck.cell(n)
	return &trial{n: n, cell: cell, faults: r.deck.sample(n), schedule: r.Matrix.Schedule(r.Cells[cell], n, r.Machine.VCPUs)}
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

func (r *run) notice(text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.Notice != nil {
		r.Notice(text)
	}
}

func (r *run) trouble(err error) {
	if !errors.Is(err, context.Canceled) {
		r.notice("trouble, trying again: " + err.Error())
	}
}

// record writes a finished trial. Its evidence is dropped where t.Unkept is set.
func (r *run) record(t journal.Trial, evidence journal.Evidence) {
	t.Ended = time.Now().UTC()
	if err := r.Folder.Append(t, r.collected(t, evidence)); err != nil {
		r.fail(err)
		return
	}
	r.checks.keep(t)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.Folder.Stopped(t.Cell) {
		r.deck.drop(t.Cell)
	}
	r.judge(t)
	if r.Trial != nil {
		r.Trial(t)
	}
}

// infra records a trial that could not be done.
func (r *run) infra(t *trial, vm int) {
	r.record(journal.Trial{N: t.n, Cell: t.cell, Schedule: t.schedule, Outcome: crash.Infra, VM: vm, Attempts: t.attempts, Error: t.last.Error()}, nil)
}
