package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	osexec "os/exec"

	"ghostlab/gdb"
	"ghostlab/gdb/ends"
	"ghostlab/gdb/explain"
	"ghostlab/gdb/travel"
	"ghostlab/lab/runner"
	"ghostlab/lab/terminal"
	"ghostlab/lab/usage"
	"ghostlab/lab/vm"
)

// replayGDB runs gdb on the record of a trial, stopped at its crash.
func (a *app) replayGDB(ctx context.Context, past *pastTrial, f replayFlags) error {
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
	t, err := a.openPast(ctx, past)
	if err != nil {
		return err
	}
	defer t.close()
	of := vm.About{Program: t.image.Program, Go: past.goVersion()}
	if s, err := a.scenarioOf(past.run); err == nil {
		source := s.Program()
		of.Source = &source
	}
	session, err := a.session(ctx, t.image.Kernel, of)
	if err != nil {
		return err
	}
	if past.backwards() != nil {
		return a.holdGDB(ctx, t, session, f)
	}
	replay, err := t.open(a)
	if err != nil {
		return err
	}
	defer replay.Close()
	where, err := t.toCrash(ctx, replay)
	if err != nil {
		return err
	}
	t.out.Printf("%s", where)
	t.out.Close() // the terminal is gdb's
	session.Socket = replay.GDB()
	return a.replaySession(ctx, session, f)
}

// holdGDB runs gdb on a trial that cannot be recorded, held at its crash in another run
// of it.
func (a *app) holdGDB(ctx context.Context, t *timeline, session gdb.Session, f replayFlags) error {
	past := t.past
	if !runner.Failed(past.trial.Trial) {
		return &passedError{past}
	}
	place, err := ends.Find(t.image.Kernel.Vmlinux())
	if err != nil {
		return err
	}
	evidence, err := t.evidence()
	if err != nil {
		return err
	}
	task := t.out.Steps("run to the crash", 1)
	var left chan error // nil until gdb has begun
	err = t.replayer.Hold(place, evidence, true, func(guest vm.Live) {
		task.End()
		t.out.Printf("the guest stands at the crash; with %d vCPUs it does not go backwards", guest.VCPUs)
		t.out.Close()
		session.Socket, session.CPU = guest.GDB(), guest.CPU
		left = make(chan error, 1)
		go func() {
			left <- a.replaySession(ctx, session, f)
			t.replayer.Close() // and with it the guest
		}()
	})
	if left == nil {
		task.End()
		return err
	}
	// A guest that was killed ends before gdb does, which has the terminal until then.
	return <-left
}

// replaySession runs gdb on a trial that is at its crash.
func (a *app) replaySession(ctx context.Context, session gdb.Session, f replayFlags) error {
	return withSession(session, func(command []string) error {
		if f.gdbScript != "" {
			command = append(command, "-x", f.gdbScript)
		}
		if !f.batch {
			return a.gdb(ctx, command)
		}
		return a.gdbBatch(ctx, append(command, "-batch"))
	})
}

// gdbBatch runs gdb without a terminal and makes its exit code lab's.
func (a *app) gdbBatch(ctx context.Context, command []string) error {
	err := terminal.Run(ctx, osexec.Command(command[0], command[1:]...), terminal.Streams{Out: a.stdout, Err: a.stderr})
	if exit := (*osexec.ExitError)(nil); errors.As(err, &exit) && exit.Exited() && ctx.Err() == nil {
		return silentError{exit.ExitCode()}
	}
	return err
}

// toCrash moves a replay to its trial's crash, or leaves it where its record
// begins, and says which.
func (t *timeline) toCrash(ctx context.Context, replay *vm.Replay) (string, error) {
	if !t.past.hung() && !runner.Failed(t.past.trial.Trial) {
		return "the trial did not crash: the guest stands where its record begins", nil
	}
	m, err := travel.Open(ctx, replay, t.image.Program)
	if err != nil {
		return "", err
	}
	defer m.Close()
	err = explain.ToCrash(t.crash(m, replay))
	switch {
	case as[*explain.NotFoundError](err) || as[*travel.SymbolsError](err):
	case t.past.hung():
		return "the guest stands where the program's time was up", err
	default:
		return "the guest stands at the crash", err
	}
	return fmt.Sprintf("the guest stands where its record begins: %v", err), replay.Seek(ctx, replay.Start())
}
