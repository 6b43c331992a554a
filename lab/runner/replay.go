package runner

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"

	"ghostlab/initramfs/wire"
	"ghostlab/lab/journal"
	"ghostlab/lab/vm"
)

// Replayer runs one deterministic trial again and again.
type Replayer struct {
	turn  *turn
	first journal.Trial
	dir   string // the run's
}

// NewReplayer prepares the replay of a trial of the run in dir. job is the run's;
// its Folder is not used.
func NewReplayer(ctx context.Context, job Job, dir string, first journal.Trial) (*Replayer, error) {
	job.Folder = nil
	ctx, stop := context.WithCancel(ctx)
	r := newRun(ctx, stop, job)
	t, err := r.pastTurn(dir, first)
	if err != nil {
		stop()
		return nil, err
	}
	return &Replayer{turn: t, first: first, dir: dir}, nil
}

// pastTurn returns a turn that runs the guest of a past deterministic trial again. dir is
// the run's.
func (r *run) pastTurn(dir string, first journal.Trial) (*turn, error) {
	tr := &trial{n: first.N, cell: first.Cell, schedule: first.Schedule, faults: first.Sample}
	t := &turn{run: r, kind: r.kind(tr), vm: first.VM, batch: []*trial{tr}}
	if !t.kind.single() {
		if err := t.shared(dir, tr); err != nil {
			return nil, err
		}
	}
	if t.kind.forked = t.kind.forked && first.Template != ""; t.kind.forked {
		if err := r.sameTemplate(t.kind, first.Template); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// mostSpec bounds the spec of a guest that trials share, in bytes: 20 times that of
// batchSize trials with as many arguments as wire.SpecRoom has room for.
const mostSpec = 20 * batchSize * wire.SpecRoom

// shared makes the turn one of the whole guest that the trial shared with
// others: what went before is part of what it is a function of.
func (t *turn) shared(dir string, tr *trial) error {
	text, err := journal.ReadGuest(dir, t.vm, vm.SpecName, mostSpec)
	if err != nil {
		return fmt.Errorf("the guest that trial %d shared with others: %w", tr.n, err)
	}
	t.spec, err = wire.DecodeSpec(text)
	if err == nil && t.spec == nil {
		err = errors.New("it is empty")
	}
	if err != nil {
		return fmt.Errorf("the guest that trial %d shared with others: %s: %w", tr.n, vm.SpecName, err)
	}
	t.batch = nil
	for _, w := range t.spec.Trials {
		if w.ID == tr.n {
			t.batch = append(t.batch, tr)
			continue
		}
		t.batch = append(t.batch, &trial{n: w.ID, cell: tr.cell, schedule: tr.schedule, faults: w.Faults})
	}
	return nil
}

// sameTemplate sees to it that guests of a kind are forked from the template
// with this digest: all that are made of an image here are alike.
func (r *run) sameTemplate(k guestKind, digest string) error {
	t, err := r.template(k)
	if err == nil && t.Digest != digest {
		err = &TemplateError{Want: digest, Got: t.Digest}
	}
	return err
}

// TemplateError says that the guest which a trial was forked from cannot be made
// again here.
type TemplateError struct{ Want, Got string }

func (e *TemplateError) Error() string {
	return fmt.Sprintf("the trial was forked from the guest %.12s, and the same image gives %.12s here", e.Want, e.Got)
}

// Hint says what to do about it.
func (e *TemplateError) Hint() string {
	return "is it the same QEMU? run.json names the one that was used"
}

// Close frees what the replays needed.
func (p *Replayer) Close() { p.turn.run.stop() }

// Replay runs the trial once more. Its guest leaves its log and its spec in dir.
func (p *Replayer) Replay(dir string) (Execution, error) {
	got, err := p.turn.again(dir, p.first.N)
	return got[p.first.N], err
}

// Times runs the trial n times, some at once, and hands each execution to done,
// one at a time, until done returns false.
func (p *Replayer) Times(n, atOnce int, done func(Execution) bool) error {
	scratch, remove, err := vm.Scratch()
	if err != nil {
		return err
	}
	defer remove()
	var (
		mu      sync.Mutex
		started int
		stopped bool
		failed  error
		workers sync.WaitGroup
	)
	for w := range min(atOnce, n) {
		workers.Go(func() {
			for {
				mu.Lock()
				if started == n || stopped {
					mu.Unlock()
					return
				}
				started++
				mu.Unlock()
				e, err := p.Replay(filepath.Join(scratch, fmt.Sprint(w)))
				mu.Lock()
				if err != nil {
					failed, stopped = err, true
				} else if !stopped && !done(e) {
					stopped = true
				}
				mu.Unlock()
			}
		})
	}
	workers.Wait()
	return failed
}

// Difference says in what two executions differ first, from the coarse to the
// fine; it is empty when they are identical. Where evidence of one was not kept
// it says that too.
func Difference(a, b Execution) string {
	if a.Digest == b.Digest {
		return ""
	}
	switch {
	case a.Outcome != b.Outcome || a.Title != b.Title:
		return fmt.Sprintf("outcome: %s %s, now %s %s", a.Outcome, a.Title, b.Outcome, b.Title)
	case a.Exit != b.Exit || a.Signal != b.Signal:
		return fmt.Sprintf("exit status %d, signal %d, now %d, %d", a.Exit, a.Signal, b.Exit, b.Signal)
	}
	var text string
	if a.Duration != b.Duration {
		text = fmt.Sprintf("duration in the guest: %v, now %v; ", a.Duration, b.Duration)
	}
	for _, name := range Shown {
		was, is := a.Evidence[name], b.Evidence[name]
		if len(was) == 0 || bytes.Equal(was, is) {
			continue
		}
		n, before, now := firstDifference(was, is)
		return text + fmt.Sprintf("%s line %d: %q, now %q", name, n, before, now)
	}
	return text + "the evidence that would show more is not kept for this trial"
}

func firstDifference(a, b []byte) (line int, before, now []byte) {
	x, y := bytes.Split(a, []byte("\n")), bytes.Split(b, []byte("\n"))
	for i := 0; ; i++ {
		switch {
		case i >= len(x):
			return i + 1, nil, y[i]
		case i >= len(y):
			return i + 1, x[i], nil
		case !bytes.Equal(x[i], y[i]):
			return i + 1, x[i], y[i]
		}
	}
}
