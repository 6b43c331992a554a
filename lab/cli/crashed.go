package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"ghostlab/gdb/ends"
	"ghostlab/gdb/rsp"
	"ghostlab/kernels"
	"ghostlab/lab/journal"
	"ghostlab/lab/runner"
	"ghostlab/lab/usage"
	"ghostlab/lab/vm"
)

// crashed is a machine that is stopped where a program is about to fail.
type crashed struct {
	stub    *rsp.Client // which looks at the CPU that runs the program
	place   *ends.Place
	program string
	kernel  *kernels.Kernel
}

// lookAtCrash shows look the guest of that name, which is held at its crash, or the past
// trial of that name at its crash, in another run of it. kept, when not nil, is asked
// before a past trial is run.
func (a *app) lookAtCrash(ctx context.Context, name string, look func(context.Context, crashed) error, kept func(*pastTrial) (bool, error)) error {
	guest, err := a.guest(name)
	if err == nil && guest.Held != "" {
		return lookAtHeld(ctx, guest, look)
	}
	past, missing := a.past(name)
	switch {
	case err == nil && (name == "" || missing != nil):
		return usage.New(fmt.Errorf("guest %s is not held at a crash", guest.Name),
			"`lab run --hold-on crash` holds those that fail; `lab attach` looks at one that runs")
	case name == "":
		return err
	case missing != nil:
		return missing
	}
	if !runner.Failed(past.trial.Trial) {
		return &passedError{past}
	}
	if kept != nil {
		if done, err := kept(past); done || err != nil {
			return err
		}
	}
	return a.lookAtPast(ctx, past, look)
}

func lookAtHeld(ctx context.Context, guest vm.Live, look func(context.Context, crashed) error) error {
	c := crashed{program: guest.Program}
	var err error
	if c.kernel, err = kernels.Open(guest.Kernel); err != nil {
		return err
	}
	if c.place, err = ends.Find(c.kernel.Vmlinux()); err != nil {
		return err
	}
	if c.stub, err = dialGuest(ctx, guest); err != nil {
		return err
	}
	defer c.stub.Close() // hanging up leaves it where it is
	if err := c.stub.Select(ctx, guest.CPU); err != nil {
		return err
	}
	return look(ctx, c)
}

// lookAtPast runs a deterministic trial again up to its crash. One that takes another
// course when it is stopped there is replayed from a record, where it can be recorded.
func (a *app) lookAtPast(ctx context.Context, past *pastTrial, look func(context.Context, crashed) error) error {
	t, err := a.openPast(ctx, past)
	if err != nil {
		return err
	}
	defer t.close()
	c := crashed{program: t.image.Program, kernel: t.image.Kernel}
	if c.place, err = ends.Find(c.kernel.Vmlinux()); err != nil {
		return err
	}
	at := func(ctx context.Context, stub *rsp.Client) error {
		c.stub = stub
		return look(ctx, c)
	}
	task := t.out.Steps("run to the crash", 1)
	defer task.End()
	evidence, err := t.evidence()
	if err != nil {
		return err
	}
	err = t.replayer.AtCrash(c.place, evidence, at)
	if as[*runner.MovedError](err) && past.backwards() == nil {
		return a.replayToCrash(ctx, t, c.place, at)
	}
	return err
}

// evidence is that of the trial, which is run once more where none was kept.
func (t *timeline) evidence() (journal.Evidence, error) {
	trial := t.past.trial
	if !trial.Unkept {
		return trial.Evidence, nil
	}
	var e runner.Execution
	if err := t.replayer.Times(1, 1, func(again runner.Execution) bool { e = again; return true }); err != nil {
		return nil, err
	}
	if d := runner.Difference(trial, e); d != "" {
		return nil, fmt.Errorf("trial %d was run again to see what it wrote, and was not identical: %s", trial.N, d)
	}
	return e.Evidence, nil
}

// replayToCrash runs the record of a trial up to its crash.
func (a *app) replayToCrash(ctx context.Context, t *timeline, place *ends.Place, at func(context.Context, *rsp.Client) error) error {
	replay, err := t.open(a)
	if err != nil {
		return err
	}
	defer replay.Close()
	stub, err := rsp.Dial(ctx, replay.GDB())
	if err != nil {
		return err
	}
	defer stub.Close()
	n := t.past.trial.N
	found, err := place.Await(ctx, stub, func() (bool, error) { return replay.Begun(n) })
	switch {
	case err != nil:
		return err
	case !found:
		return &runner.NoFailureError{Trial: n}
	}
	return at(ctx, stub)
}

// answers is how long a gdb stub may take to answer. It answers at once; on a busy
// host that is some ms.
const answers = 10 * time.Second

// dialGuest connects to the gdb stub of a guest, which stops it.
func dialGuest(ctx context.Context, guest vm.Live) (*rsp.Client, error) {
	limited, cancel := context.WithTimeout(ctx, answers)
	defer cancel()
	stub, err := rsp.Dial(limited, guest.GDB())
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		err = &watchedError{guest}
	}
	return stub, err
}

// watchedError says that a guest's gdb stub serves another.
type watchedError struct{ guest vm.Live }

func (e *watchedError) Error() string {
	return fmt.Sprintf("guest %s already has a debugger, and QEMU serves one", e.guest.Name)
}

// BadInput marks what the user can mend, see usage.IsBadInput.
func (*watchedError) BadInput() {}

// Hint says what to do about it.
func (e *watchedError) Hint() string {
	return "leave the other gdb first; a guest of `lab run --hold-on crash` that is not held yet is watched by that lab"
}
