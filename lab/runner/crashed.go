package runner

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"ghostlab/gdb/ends"
	"ghostlab/gdb/rsp"
	"ghostlab/lab/journal"
	"ghostlab/lab/qemu"
	"ghostlab/lab/vm"
)

// AtCrash runs a trial that has failed once more and lets look at the machine where
// its program is about to fail. was is the trial's evidence.
//
// A breakpoint that has not been met yet moves nothing, the stop there moves what
// comes after. So the trial's digest is another one, and what tells whether it was
// the same crash is what the program has written: where that is not the same to the
// byte, with all goroutines' stacks and addresses, the error is a *MovedError. It is a
// *NoFailureError where no program of the trial has failed.
func (p *Replayer) AtCrash(place *ends.Place, was journal.Evidence, look func(context.Context, *rsp.Client) error) error {
	var failed error
	looked := false
	e, err := p.watched(func(t *turn) *vm.Hold {
		looked = false
		return &vm.Hold{Place: place, Take: func() bool { return false }, Look: func(ctx context.Context, c *rsp.Client) {
			if !looked && t.current != nil && t.current.n == p.first.N {
				looked, failed = true, look(ctx, c)
			}
		}}
	})
	switch {
	case err != nil:
		return err
	case failed != nil:
		return failed
	case !looked:
		return &NoFailureError{Trial: p.first.N}
	}
	return moved(Execution{p.first, was}, e)
}

// Hold runs a trial that has failed once more and holds its guest at the crash, see
// AtCrash, until a debugger lets it go or kills it or the context ends. held is told of
// the guest. One that is to stay runs to its own end, not just its trial's, and stands
// there until it is killed or the context ends.
func (p *Replayer) Hold(place *ends.Place, was journal.Evidence, stay bool, held func(vm.Live)) error {
	// Once to see whether it is the same crash: then it is the next time.
	if err := p.AtCrash(place, was, func(context.Context, *rsp.Client) error { return nil }); err != nil {
		return err
	}
	own, taken := *p.turn, false
	own.stay = stay
	_, err := (&Replayer{turn: &own, first: p.first, dir: p.dir}).watched(func(t *turn) *vm.Hold {
		return &vm.Hold{Place: place, Held: held, Released: func() {}, Take: func() bool {
			take := !taken && t.current != nil && t.current.n == p.first.N
			taken = taken || take
			return take
		}}
	})
	if taken && errors.Is(err, qemu.ErrKilled) {
		return nil
	}
	return err
}

// watched runs the trial once more, with what is to happen where a program fails.
func (p *Replayer) watched(watch func(*turn) *vm.Hold) (Execution, error) {
	scratch, remove, err := vm.Scratch()
	if err != nil {
		return Execution{}, err
	}
	defer remove()
	t := *p.turn
	t.watch = watch
	last := p.first.N
	if t.stay {
		last = 0
	}
	got, err := t.again(scratch, last)
	return got[p.first.N], err
}

// moved says in what a watched execution has not reached the crash that the first
// one was.
func moved(first, e Execution) error {
	was, known := first.Evidence["console.log"]
	is := e.Evidence["console.log"]
	switch {
	case first.Outcome != e.Outcome || first.Title != e.Title || first.Exit != e.Exit || first.Signal != e.Signal:
		return &MovedError{first.N, fmt.Sprintf("%s %s, now %s %s", first.Outcome, first.Title, e.Outcome, e.Title)}
	case known && !bytes.Equal(was, is):
		n, before, now := firstDifference(was, is)
		return &MovedError{first.N, fmt.Sprintf("output line %d: %q, now %q", n, before, now)}
	}
	return nil
}

// MovedError says that a trial takes another course when it is stopped on its way.
type MovedError struct {
	Trial      int
	Difference string
}

func (e *MovedError) Error() string {
	return fmt.Sprintf("trial %d takes another course with a breakpoint at its crash: %s", e.Trial, e.Difference)
}

// BadInput marks what the user can mend, see usage.IsBadInput.
func (*MovedError) BadInput() {}

// Hint says what to do about it.
func (e *MovedError) Hint() string {
	return "a program that failed in the same guest before it, or a process of its own that ended, was a stop on the way;\n" +
		"`lab run --isolation fork` gives each trial a guest, and one of one vCPU can be recorded: `lab replay --gdb`"
}

// NoFailureError says that there is no moment at which a trial's program fails: it took
// the guest with it, or was killed.
type NoFailureError struct{ Trial int }

func (e *NoFailureError) Error() string {
	return fmt.Sprintf("no program of trial %d ends by itself with a failure: there is nothing to stop at", e.Trial)
}

// BadInput marks what the user can mend, see usage.IsBadInput.
func (*NoFailureError) BadInput() {}

// Hint says what to do about it.
func (e *NoFailureError) Hint() string {
	return "`lab replay --gdb` runs a trial of one vCPU forwards and backwards"
}
