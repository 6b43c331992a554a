package rerun

import (
	"context"
	"errors"

	"ghostlab/gdb/ends"
	"ghostlab/gdb/rsp"
	"ghostlab/kernels"
	"ghostlab/lab/runner"
	"ghostlab/lab/vm"
)

// Crash is a machine that is stopped where a program is about to fail.
type Crash struct {
	// Stub looks at the CPU that runs the program.
	Stub    *rsp.Client
	Place   *ends.Place
	Program string // the file
	Kernel  *kernels.Kernel
}

// AtHeld shows look a guest that is held at its crash, and leaves it there.
func AtHeld(ctx context.Context, guest vm.Live, look func(context.Context, Crash) error) error {
	c := Crash{Program: guest.Program}
	var err error
	if c.Kernel, err = kernels.Open(guest.Kernel); err != nil {
		return err
	}
	if c.Place, err = ends.Find(c.Kernel.Vmlinux()); err != nil {
		return err
	}
	if c.Stub, err = guest.Dial(ctx); err != nil {
		return err
	}
	defer c.Stub.Close() // hanging up leaves it where it is
	if err := c.Stub.Select(ctx, guest.CPU); err != nil {
		return err
	}
	return look(ctx, c)
}

// AtCrash runs the trial again up to its crash and shows that to look. A trial that takes
// another course when it is stopped there is replayed from a record, where it can be
// recorded. The error is a *PassedError where there is no crash.
func (t *Trial) AtCrash(ctx context.Context, look func(context.Context, Crash) error) error {
	if !runner.Failed(t.Past.Trial.Trial) {
		return &PassedError{t.Past}
	}
	c := Crash{Program: t.Image.Program, Kernel: t.Image.Kernel}
	var err error
	if c.Place, err = ends.Find(c.Kernel.Vmlinux()); err != nil {
		return err
	}
	at := func(ctx context.Context, stub *rsp.Client) error {
		c.Stub = stub
		return look(ctx, c)
	}
	task := t.provider.Out.Steps("run to the crash", 1)
	defer task.End()
	evidence, err := t.Evidence()
	if err != nil {
		return err
	}
	err = t.Replayer.AtCrash(c.Place, evidence, at)
	if errors.As(err, new(*runner.MovedError)) && t.Past.Backwards() == nil {
		return t.replayToCrash(ctx, c.Place, at)
	}
	return err
}

// replayToCrash runs the record of the trial up to its crash.
func (t *Trial) replayToCrash(ctx context.Context, place *ends.Place, at func(context.Context, *rsp.Client) error) error {
	replay, err := t.Replay()
	if err != nil {
		return err
	}
	defer replay.Close()
	stub, err := rsp.Dial(ctx, replay.GDB())
	if err != nil {
		return err
	}
	defer stub.Close()
	n := t.Past.Trial.N
	found, err := place.Await(ctx, stub, func() (bool, error) { return replay.Begun(n) })
	switch {
	case err != nil:
		return err
	case !found:
		return &runner.NoFailureError{Trial: n}
	}
	return at(ctx, stub)
}

// Hold runs the trial once more and holds its guest at the crash until a debugger lets it
// go. held is told of the guest.
func (t *Trial) Hold(held func(vm.Live)) error {
	if !runner.Failed(t.Past.Trial.Trial) {
		return &PassedError{t.Past}
	}
	place, err := ends.Find(t.Image.Kernel.Vmlinux())
	if err != nil {
		return err
	}
	evidence, err := t.Evidence()
	if err != nil {
		return err
	}
	task := t.provider.Out.Steps("run to the crash", 1)
	there := false
	err = t.Replayer.Hold(place, evidence, true, func(guest vm.Live) {
		there = true
		task.End()
		held(guest)
	})
	if !there {
		task.End()
	}
	return err
}
