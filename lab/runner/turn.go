package runner

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"ghostlab/initramfs/wire"
	"ghostlab/lab/crash"
	"ghostlab/lab/journal"
	"ghostlab/lab/vm"
)

// turn is one guest with the trials it is to run.
type turn struct {
	run  *run
	kind guestKind
	vm   int // the guest's number
	dir  string
	// sink is given each finished trial.
	sink func(journal.Trial, journal.Evidence)

	log     string               // that the guest is recorded in, or empty
	batch   []*trial             // as the guest is told of them
	spec    *wire.Spec           // what it is told; nil follows from batch
	stay    bool                 // its guest stays where it ended, once it was held
	watch   func(*turn) *vm.Hold // what happens where a program of it fails; nil is nothing
	left    []*trial             // not ended, in that order
	current *trial               // begun and not ended
	done    int
	kept    bool // some of its trials keep their evidence

	// over says whether trials need not be run any more; nil is never. The guest
	// is then halted.
	over   func([]*trial) bool
	halt   context.CancelFunc
	halted bool

	refused error // why the guest could not start the last trial that it could not
	barren  int   // guests of this kind before it, in a row, that gave no result

	// of a hunt: the arm, what the guest has found, and when
	arm, found               int
	began, firstEnd, lastEnd time.Time

	held     bool   // its guest is, or is about to be
	core     []byte // of the program that is about to fail
	guest    *vm.Guest
	template string // the digest of the guest's template
	err      error
}

// prepare brings the guest to where it can begin at once.
func (t *turn) prepare() {
	t.left, t.began = t.batch, time.Now()
	cfg, err := t.config()
	if err != nil {
		t.err = err
		return
	}
	t.guest, t.err = vm.Prepare(t.run.ctx, cfg)
}

// config is the guest that the turn is for.
func (t *turn) config() (vm.Config, error) {
	r := t.run
	if err := r.given(t.kind); err != nil {
		return vm.Config{}, err
	}
	cfg := r.config(t.kind)
	cfg.Dir, cfg.Record, cfg.Stay = t.dir, t.log, t.stay
	if t.spec == nil {
		t.spec = &wire.Spec{}
		for _, tr := range t.batch {
			t.spec.Trials = append(t.spec.Trials, r.spec(tr))
		}
	}
	cfg.Spec = *t.spec
	cfg.Started = func(byHand, _ string) {
		r.mu.Lock()
		defer r.mu.Unlock()
		if r.Boot != nil {
			r.Boot(byHand)
		}
	}
	cfg.Notice = func(text string) { r.notice(fmt.Sprintf("guest %d: %s", t.vm, text)) }
	if t.watch != nil {
		cfg.Hold = t.watch(t)
	}
	// A guest that boots reads a spec of any size.
	if t.kind.forked && len(t.spec.Encode()) < wire.SpecRoom {
		var err error
		if cfg.Template, err = r.template(t.kind); err != nil {
			return cfg, err
		}
		t.template = cfg.Template.Digest
	}
	return cfg, nil
}

// play runs the prepared guest to its end.
func (t *turn) play(ctx context.Context) *vm.End {
	if t.err != nil {
		return nil
	}
	ctx, t.halt = context.WithCancel(ctx)
	defer t.halt()
	end, err := t.guest.Run(ctx, t.receive)
	t.released()
	t.guest.Close()
	t.guest, t.err = nil, err // a checked turn is kept to the run's end
	return end
}

// receive takes a message of the guest.
func (t *turn) receive(m vm.Message) {
	switch m.Kind {
	case wire.Ready:
		if t.run.Folder == nil {
			return
		}
		if err := t.run.Folder.SetRelease(t.kind.kernel, m.Release); err != nil {
			t.run.fail(err)
		}
	case wire.Begin:
		t.current = t.find(m.ID)
	case wire.End:
		if tr := t.find(m.ID); tr != nil && m.Result != nil {
			t.end(tr, m)
		}
		t.current = nil
		if t.over != nil && t.over(t.left) {
			t.halted = true
			t.halt()
		}
	}
}

func (t *turn) find(id int) *trial {
	for _, tr := range t.left {
		if tr.n == id {
			return tr
		}
	}
	return nil
}

func (t *turn) take(tr *trial) {
	for i, x := range t.left {
		if x == tr {
			t.left = append(t.left[:i:i], t.left[i+1:]...)
			return
		}
	}
}

// end judges a trial that the guest saw to its end.
func (t *turn) end(tr *trial, m vm.Message) {
	res := m.Result
	if res.Error != "" {
		t.refused = fmt.Errorf("trial %d: %s", tr.n, res.Error)
		t.retry(tr, t.refused)
		return
	}
	rep := crash.Classify(crash.Evidence{Exit: res.Exit, Signal: res.Signal, TimedOut: res.TimedOut, Output: m.Output})
	if t.run.Refuse != nil && rep.Outcome == crash.Pass {
		if err := t.run.Refuse(m.Output); err != nil {
			t.run.fail(fmt.Errorf("trial %d: %w", tr.n, err))
			return
		}
	}
	t.write(tr, journal.Trial{
		Exit: res.Exit, Signal: res.Signal, Duration: res.Duration,
		Faults: bytes.Count(m.Faults, []byte("\n")), Lost: res.FaultsLost,
	}, rep, journal.Evidence{"console.log": m.Output, "lab_fault.txt": m.Faults, "guest.log": m.Console, CoreFile: t.core})
	t.core = nil
}

// verdict judges a trial that took the whole guest with it.
func (t *turn) verdict(tr *trial, end *vm.End) {
	console := end.Console
	if i := bytes.Index(console, []byte(wire.BeginLine(tr.n))); i >= 0 {
		console = console[i:]
	}
	rep := crash.Report{Outcome: crash.GuestPanic}
	switch end.Reason {
	case vm.Panicked:
		rep.Title = crash.PanicTitle(console)
	case vm.Hung:
		rep = crash.Report{Outcome: crash.Hang, Title: "the guest does not answer"}
	case vm.Flooded:
		rep = crash.Report{Outcome: crash.Hang, Title: "the guest floods its console"}
	case vm.Reset:
		rep.Title = "the program restarted the guest"
	default:
		rep.Title = "the program switched the guest off"
	}
	t.write(tr, journal.Trial{Exit: -1}, rep, journal.Evidence{"console.log": console, "guest.log": console, "stacks.txt": end.Stacks})
}

func (t *turn) write(tr *trial, j journal.Trial, rep crash.Report, ev journal.Evidence) {
	t.take(tr)
	t.done++
	j.N, j.Cell, j.Schedule, j.VM, j.Position, j.Attempts = tr.n, tr.cell, tr.schedule, t.vm, t.done, tr.attempts
	j.Outcome, j.Title, j.Template, j.Sample = rep.Outcome, rep.Title, t.template, tr.faults
	// What lab has ended, it has ended by the host's clock.
	endedByLab := rep.Outcome == crash.Hang && j.Exit == -1 && j.Signal == 0
	if tr.schedule.Deterministic() && !endedByLab {
		j.Digest = digest(j, ev)
	}
	if rep.Outcome != crash.Pass {
		if text, err := json.MarshalIndent(rep, "", "  "); err == nil {
			ev["crash.json"] = append(text, '\n')
		}
	}
	t.sink(j, ev)
}

// retry counts an attempt against a trial. It stays in left, or becomes an
// infra record.
func (t *turn) retry(tr *trial, err error) {
	tr.attempts++
	tr.last = err
	if tr.attempts < attempts {
		t.run.trouble(fmt.Errorf("attempt %d of %d: %w", tr.attempts, attempts, err))
		return
	}
	t.take(tr)
	t.run.infra(tr, t.vm)
}

// finish decides about the trials that the guest has left undone.
func (t *turn) finish(end *vm.End) {
	defer func() { t.run.giveBack(t.left) }()
	if t.run.ctx.Err() != nil {
		return
	}
	switch {
	case t.halted:
	case errors.As(t.err, new(*hopelessError)):
		t.giveUp()
	case infrastructural(t.err):
		t.infrastructure(t.err)
	case t.err != nil:
		t.run.fail(t.err)
	case t.current != nil:
		t.verdict(t.current, end)
	case end.Reason == vm.PoweredOff:
		switch {
		case t.done > 0 || len(t.left) == 0:
			// The mailbox was full: the rest goes to another guest.
		case t.refused != nil:
			t.hopeless(t.refused) // and charged to the trial already
		default:
			t.infrastructure(errors.New("the guest powered off without doing a trial"))
		}
	case len(t.left) > 0:
		t.infrastructure(fmt.Errorf("%s between two trials", end.Reason))
	}
}

// infrastructure charges a failure to the trial that was running, or else to the
// one that would have been next.
func (t *turn) infrastructure(err error) {
	tr := t.current
	if tr == nil && len(t.left) > 0 {
		tr = t.left[0]
	}
	if tr != nil && errors.As(err, new(*vm.ForgedError)) {
		tr.attempts = attempts - 1 // until it does not is no way to a rate
	} else if t.hopeless(err) {
		return
	}
	if tr != nil {
		t.retry(tr, err)
	}
}

// tidy removes the folder of a guest whose trials all passed, but for samples
// and for what a replay needs: a guest that several trials share is part of what
// a deterministic one is a function of.
func (t *turn) tidy() {
	t.collectGuest()
	if t.kept || len(t.left) > 0 || t.done == 0 || t.run.Boot != nil {
		return // with Boot set, somebody may paste the command that reads the spec
	}
	if t.kind.single() || !t.kind.engine.Deterministic {
		os.RemoveAll(t.dir)
	}
}
