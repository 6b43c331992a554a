package vm

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"syscall"
	"time"

	"ghostlab/initramfs/wire"
)

// Replay is a recorded guest, stopped where its record begins. A debugger on
// its gdb socket can run it forwards and, from wherever it stands, backwards.
// It stops for good at the end of its last trial, or where the machine ended
// before that.
type Replay struct {
	g     *Guest
	start int64
	kept  []string // snapshots beside that of the start, the oldest first
}

// OpenReplay starts a guest that follows the log of a recording. cfg is what the
// recorded guest was started with, without Record; an empty Dir keeps nothing.
// Call Close in the end.
func OpenReplay(ctx context.Context, cfg Config, log string) (*Replay, error) {
	cfg.Record, cfg.replay, cfg.Paused = "", log, true
	g, err := Prepare(ctx, cfg)
	if err != nil {
		return nil, err
	}
	r := &Replay{g: g}
	// Going backwards is going to the nearest snapshot and forwards from
	// there, so that there must be one of the start.
	if err = r.monitor("savevm start"); err == nil {
		r.start, err = r.Instructions()
	}
	if err != nil {
		err = g.notStarted(err)
		r.Close()
		return nil, err
	}
	return r, nil
}

// Snapshot keeps the state of the stopped machine, so that going backwards to a
// later moment takes no longer than the way from here. Where there are as many as have
// room the oldest gives way, but for that of the start; dropped is its name, else empty.
func (r *Replay) Snapshot(name string) (dropped string, err error) {
	if len(r.kept) == snapshotsOf(r.g.cfg.Memory) {
		dropped = r.kept[0]
		if err := r.monitor("delvm " + dropped); err != nil {
			return "", err
		}
		r.kept = r.kept[1:]
	}
	if err := r.monitor("savevm " + name); err != nil {
		return dropped, err
	}
	r.kept = append(r.kept, name)
	return dropped, nil
}

// monitor has QEMU save or drop a snapshot. It has no QMP command for that which takes
// part in a replay.
func (r *Replay) monitor(line string) error {
	var said string
	err := r.g.command("human-monitor-command", map[string]any{"command-line": line}, &said)
	if err == nil && said != "" {
		err = errors.New(said)
	}
	if err != nil {
		return fmt.Errorf("snapshot the replay: %w", err)
	}
	return nil
}

// GDB is the socket of the gdb stub.
func (r *Replay) GDB() string { return r.g.dir.file("gdb") }

// Start is the instruction at which the record begins.
func (r *Replay) Start() int64 { return r.start }

// Instructions is where the guest stands: QEMU's count of its instructions. The
// guest must be stopped.
func (r *Replay) Instructions() (int64, error) {
	var at struct {
		Count int64 `json:"icount"`
	}
	err := r.g.command("query-replay", nil, &at)
	return at.Count, err
}

// Seek moves the stopped guest to an instruction of the record, before or after
// where it stands. No debugger's points stop it on the way.
func (r *Replay) Seek(ctx context.Context, instruction int64) error {
	if err := r.g.command("replay-seek", map[string]any{"icount": instruction}, nil); err != nil {
		return &InfraError{What: "replay", Err: err}
	}
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for {
		var status struct{ Running bool }
		if err := r.g.command("query-status", nil, &status); err != nil {
			return &InfraError{What: "replay", Err: err}
		}
		if !status.Running {
			break
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	now, err := r.Instructions()
	if err == nil && now != instruction {
		err = &InfraError{What: fmt.Sprintf("the replay stopped at instruction %d, on its way to %d", now, instruction)}
	}
	return err
}

// Begun says whether a trial of the guest has begun, as far as the guest has
// been replayed.
func (r *Replay) Begun(trial int) (bool, error) {
	if err := r.g.console.follow(); err != nil {
		return false, &InfraError{What: "replay", Err: err}
	}
	return bytes.Contains(r.g.console.end(consoleKeep), []byte(wire.BeginLine(trial))), nil
}

// Position is where a replay has stopped, and what can be seen there.
type Position struct {
	Instructions int64
	// Registers are all of the vCPU's, in QEMU's words.
	Registers string
	// Console is what the guest has printed so far, at most its last 256 KiB.
	Console []byte
}

// Continue lets the guest go on from where it is stopped to where it stops next:
// the end, where no debugger has set a breakpoint. A QEMU that follows a log waits for
// nothing but the processor: one that uses none for stillLimit is given up. Where the
// host does not tell, as macOS, only the context ends the wait.
func (r *Replay) Continue(ctx context.Context) (*Position, error) {
	g := r.g
	if err := g.command("cont", nil, nil); err != nil {
		return nil, &InfraError{What: "replay", Err: err}
	}
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	var watch watchdog
	watch.heard(time.Now(), g.proc.CPUTime())
	shutdown := ""
	resumed := false // a STOP before that is an older one
	for {
		select {
		case e, ok := <-g.events:
			switch {
			case !ok:
				return nil, &InfraError{What: "qemu ended under the replay", Err: g.fromOutside(shutdown)}
			case e.Event == "SHUTDOWN":
				shutdown, _ = e.Data["reason"].(string)
			case e.Event == "RESUME":
				resumed = true
			case e.Event == "STOP" && resumed:
				return r.position()
			}
		case <-tick.C:
			watch.look(time.Now(), g.proc.Usage)
			switch {
			case watch.stopped && watch.still > stoppedLimit:
				return nil, &InfraError{What: "qemu does not go on with the replay", Err: watch.why(g.proc.PID())}
			case !watch.stopped && watch.still > stillLimit:
				return nil, &InfraError{What: "the replay waits for something that its log does not hold"}
			}
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func (r *Replay) position() (*Position, error) {
	p := &Position{}
	var err error
	if p.Instructions, err = r.Instructions(); err == nil {
		err = r.g.command("human-monitor-command", map[string]any{"command-line": "info registers"}, &p.Registers)
	}
	if err == nil {
		err = r.g.console.follow()
	}
	if err != nil {
		return nil, &InfraError{What: "replay", Err: err}
	}
	p.Console = r.g.console.end(consoleKeep)
	return p, nil
}

// Lost is the error behind one of a debugger's, where that is that QEMU has ended;
// else it is nil.
func (r *Replay) Lost(err error) error {
	if !errors.Is(err, io.EOF) && !errors.Is(err, syscall.EPIPE) && !errors.Is(err, syscall.ECONNRESET) {
		return nil
	}
	select {
	case <-r.Done():
		return &InfraError{What: "qemu ended under the replay", Err: r.g.fromOutside(r.g.lastReason(r.g.events, ""))}
	case <-time.After(time.Second):
		return nil
	}
}

// Done is closed when QEMU has ended, as by a debugger's kill.
func (r *Replay) Done() <-chan struct{} { return r.g.proc.Done() }

// Close ends the guest.
func (r *Replay) Close() { r.g.Close() }
