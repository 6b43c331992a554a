package runner

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"ghostlab/initramfs/wire"
	"ghostlab/lab/crash"
	"ghostlab/lab/journal"
	"ghostlab/lab/vm"
)

// batchState follows the trials of one guest.
type batchState struct {
	run     *run
	vm      int
	left    []*trial // not ended, in the guest's order
	current *trial   // begun and not ended
	done    int
}

// receive takes a message of the guest.
func (b *batchState) receive(m wire.Message) {
	switch m.Kind {
	case wire.Ready:
		if err := b.run.Folder.SetRelease(m.Release); err != nil {
			b.run.fail(err)
		}
	case wire.Begin:
		b.current = b.find(m.ID)
	case wire.End:
		if t := b.find(m.ID); t != nil && m.Result != nil {
			b.end(t, m)
		}
		b.current = nil
	}
}

func (b *batchState) find(id int) *trial {
	for _, t := range b.left {
		if t.n == id {
			return t
		}
	}
	return nil
}

func (b *batchState) take(t *trial) {
	for i, x := range b.left {
		if x == t {
			b.left = append(b.left[:i:i], b.left[i+1:]...)
			return
		}
	}
}

// end records a trial that the guest saw to its end.
func (b *batchState) end(t *trial, m wire.Message) {
	res := m.Result
	if res.Error != "" {
		b.retry(t, fmt.Errorf("trial %d: %s", t.n, res.Error))
		return
	}
	rep := crash.Classify(crash.Evidence{Exit: res.Exit, Signal: res.Signal, TimedOut: res.TimedOut, Output: m.Output})
	b.write(t, journal.Trial{
		Outcome: rep.Outcome, Title: rep.Title,
		Exit: res.Exit, Signal: res.Signal, Duration: res.Duration,
		Faults: bytes.Count(m.Faults, []byte("\n")), Lost: res.FaultsLost,
	}, rep, m.Output, m.Faults)
}

func (b *batchState) write(t *trial, j journal.Trial, rep crash.Report, output, faults []byte) {
	b.take(t)
	b.done++
	j.N, j.Cell, j.VM, j.Position, j.Attempts = t.n, t.cell, b.vm, b.done, t.attempts
	ev := journal.Evidence{"console.log": output, "lab_fault.txt": faults}
	if rep.Outcome != crash.Pass {
		if text, err := json.MarshalIndent(rep, "", "  "); err == nil {
			ev["crash.json"] = append(text, '\n')
		}
	}
	b.run.record(j, ev)
}

// retry counts an attempt against a trial. It stays in left, or becomes an
// infra record.
func (b *batchState) retry(t *trial, err error) {
	t.attempts++
	t.last = err
	if t.attempts < attempts {
		b.run.trouble(fmt.Errorf("attempt %d of %d: %w", t.attempts, attempts, err))
		return
	}
	b.take(t)
	b.run.infra(t, b.vm)
}

// finish decides about the trials that the guest has left undone.
func (b *batchState) finish(ctx context.Context, end *vm.End, err error) {
	defer func() { b.run.giveBack(ctx, b.left, b.done) }()
	if ctx.Err() != nil {
		return
	}
	var boot *vm.BootError
	var infra *vm.InfraError
	switch {
	case errors.As(err, &boot), errors.As(err, &infra):
		b.infrastructure(err)
	case err != nil:
		b.run.fail(err)
	case b.current != nil:
		b.verdict(b.current, end)
	case end.Reason == vm.PoweredOff:
		// The mailbox was full: the rest goes to another guest.
		if b.done == 0 && len(b.left) > 0 {
			b.infrastructure(errors.New("the guest powered off without doing a trial"))
		}
	case len(b.left) > 0:
		b.infrastructure(fmt.Errorf("%s between two trials", end.Reason))
	}
}

// infrastructure charges a failure to the trial that was running, or else to the
// one that would have been next. A row of guests without any result ends the
// run: the fourth will not be better.
func (b *batchState) infrastructure(err error) {
	b.run.mu.Lock()
	barren := b.run.barren
	b.run.mu.Unlock()
	if b.done == 0 && barren+1 >= attempts {
		b.run.fail(fmt.Errorf("%d guests in a row gave no result: %w", attempts, err))
		return
	}
	t := b.current
	if t == nil && len(b.left) > 0 {
		t = b.left[0]
	}
	if t != nil {
		b.retry(t, err)
	}
}

// verdict judges a trial that took the whole guest with it.
func (b *batchState) verdict(t *trial, end *vm.End) {
	// Other trials have used the same console before.
	out := end.Console
	if i := bytes.LastIndex(out, fmt.Appendf(nil, "lab: trial %d begins\n", t.n)); i >= 0 {
		out = out[i:]
	}
	rep := crash.Report{Outcome: crash.GuestPanic}
	switch end.Reason {
	case vm.Panicked:
		rep.Title = crash.PanicTitle(out)
	case vm.Hung:
		rep = crash.Report{Outcome: crash.Hang, Title: "the guest does not answer"}
	case vm.Flooded:
		rep = crash.Report{Outcome: crash.Hang, Title: "the guest floods its console"}
	case vm.Reset:
		rep.Title = "the program restarted the guest"
	default:
		rep.Title = "the program switched the guest off"
	}
	b.write(t, journal.Trial{Outcome: rep.Outcome, Title: rep.Title, Exit: -1}, rep, out, nil)
}
