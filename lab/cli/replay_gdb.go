package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"ghostlab/gdb"
	"ghostlab/lab/rerun"
	"ghostlab/lab/session"
	"ghostlab/lab/usage"
	"ghostlab/lab/vm"
)

// replayGDB runs gdb on the record of a trial, stopped at its crash.
func (a *app) replayGDB(ctx context.Context, past *rerun.Past, f replayFlags) error {
	switch {
	case f.times > 1 || f.hunt || f.record:
		return usage.New(errors.New("--gdb: want no --times, --hunt or --record"), "gdb's replay is recorded where it has to be")
	case f.batch && f.gdbScript == "":
		return usage.New(errors.New("--batch: want --gdb-script"), "")
	}
	if f.gdbScript != "" {
		if _, err := os.Stat(f.gdbScript); errors.Is(err, fs.ErrNotExist) {
			return usage.New(fmt.Errorf("--gdb-script: there is no %s", f.gdbScript), "")
		}
	}
	if _, err := gdb.Find(); err != nil {
		return err
	}
	h, err := a.host()
	if err != nil {
		return err
	}
	defer h.Out.Close()
	t, err := rerun.Open(ctx, h.Provider, past)
	if err != nil {
		return err
	}
	defer t.Close()
	s, err := h.Describe(ctx, t.Image.Kernel, t.About())
	if err != nil {
		return err
	}
	if past.Backwards() != nil {
		return a.holdGDB(ctx, h, t, s, f)
	}
	replay, err := t.Replay()
	if err != nil {
		return err
	}
	defer replay.Close()
	where, err := t.ToCrash(ctx, replay)
	if err != nil {
		return err
	}
	h.Out.Printf("%s", where)
	h.Out.Close() // the terminal is gdb's
	s.Socket = replay.GDB()
	return gdbCode(h.GDB(ctx, s, f.script()))
}

// script is what gdb is to carry out.
func (f replayFlags) script() session.Script {
	return session.Script{File: f.gdbScript, Batch: f.batch}
}

// gdbCode makes the exit code of a gdb without a terminal that of lab.
func gdbCode(err error) error {
	if exit := (*session.ExitError)(nil); errors.As(err, &exit) {
		return silentError{exit.Code}
	}
	return err
}

// holdGDB runs gdb on a trial that cannot be recorded, held at its crash in another run
// of it.
func (a *app) holdGDB(ctx context.Context, h session.Host, t *rerun.Trial, s gdb.Session, f replayFlags) error {
	var left chan error // nil until gdb has begun
	err := t.Hold(func(guest vm.Live) {
		h.Out.Printf("the guest stands at the crash; with %d vCPUs it does not go backwards", guest.VCPUs)
		h.Out.Close()
		s.Socket, s.CPU = guest.GDB(), guest.CPU
		left = make(chan error, 1)
		go func() {
			left <- gdbCode(h.GDB(ctx, s, f.script()))
			t.Replayer.Close() // and with it the guest
		}()
	})
	if left == nil {
		return err
	}
	// A guest that was killed ends before gdb does, which has the terminal until then.
	return <-left
}
