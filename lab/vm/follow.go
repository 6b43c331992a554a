package vm

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/digitalocean/go-qemu/qmp"

	"ghostlab/initramfs/wire"
)

// poll is how often the mailbox and the console are looked at: often enough
// for progress to look alive. Nobody waits for it: a guest that is done ends
// QEMU, and that is heard at once.
const poll = 20 * time.Millisecond

// follow watches the guest until it ends.
func (g *Guest) follow(ctx context.Context, receive func(Message)) (*End, error) {
	end, err := g.watchAll(ctx, receive)
	if !errors.As(err, new(*ForgedError)) {
		g.handOn(receive)
	}
	return end, err
}

// handOn hands on the end of a trial that was kept back.
func (g *Guest) handOn(receive func(Message)) {
	if g.kept != nil {
		receive(*g.kept)
		g.kept = nil
	}
}

func (g *Guest) watchAll(ctx context.Context, receive func(Message)) (*End, error) {
	tick := time.NewTicker(poll)
	defer tick.Stop()
	events, reason := g.events, ""
	for {
		ended, off := false, false
		var fails *failure
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case e, ok := <-events:
			switch {
			case !ok:
				events = nil // QEMU has hung up, and will end
			case e.Event == "SHUTDOWN":
				reason, _ = e.Data["reason"].(string)
				off = g.cfg.Stay && !g.shown
			case e.Event == "GUEST_PANICKED" && (g.holds() || g.cfg.Stay):
				off = !g.cfg.Stay || !g.shown // a held guest's way to power off
			case e.Event == "STOP":
				g.stopped = true // by a debugger
			case e.Event == "RESUME":
				g.stopped = false
				g.silence.heard(time.Now(), g.proc.CPUTime())
				if err := g.resumed(ctx); err != nil {
					return nil, &InfraError{What: "hold", Err: err}
				}
			}
			if !off {
				continue
			}
		case f := <-g.failing:
			fails = &f
		case <-g.proc.Done():
			ended = true
		case <-tick.C:
		}
		if err := g.look(receive); err != nil {
			return nil, err
		}
		if fails != nil {
			if err := g.atFailure(ctx, *fails); err != nil {
				return nil, &InfraError{What: "hold", Err: err}
			}
		}
		switch {
		case off:
			return g.ended(PoweredOff)
		case ended:
			why := g.lastReason(events, reason)
			if err := g.checkOff(why); err != nil {
				return nil, err
			}
			return g.verdict(why)
		}
		if reason, err := g.overdue(); err != nil {
			return nil, err
		} else if reason != 0 {
			end, err := g.ended(reason)
			if err == nil && reason == Hung {
				end.Stacks, err = g.stacks(ctx)
			}
			return end, err
		}
	}
}

// lastReason is QMP's reason for the guest's end, which may still be on its way
// when QEMU has ended. It is empty when QMP could not tell.
func (g *Guest) lastReason(events <-chan qmp.Event, reason string) string {
	if events == nil {
		return reason
	}
	for e := range events {
		if r, ok := e.Data["reason"].(string); ok && e.Event == "SHUTDOWN" {
			reason = r
		}
	}
	return reason
}

// Message is a message of the guest's.
type Message struct {
	wire.Message
	// Console is what the console has shown of a trial, from wire.BeginLine to
	// wire.EndLine: its output and what the kernel said meanwhile, at most the
	// last 256 KiB. Set for End.
	Console []byte
}

// look hands on what the guest has said since the last time. The guest has its
// console drained before it sends a trial's end.
func (g *Guest) look(receive func(Message)) error {
	msgs, err := g.received()
	if err := g.console.follow(); err != nil {
		return &InfraError{What: "console", Err: err}
	}
	for _, raw := range msgs {
		m := Message{Message: raw}
		if wrong := g.dialogue.take(raw, g.cfg.Spec); wrong != "" {
			return g.forged(raw, wrong)
		}
		g.handOn(receive)
		g.silence.heard(time.Now(), g.proc.CPUTime())
		switch m.Kind {
		case wire.Ready:
			g.release = m.Release
		case wire.Failed:
			g.failed = m.Error
		case wire.End:
			if err := g.checkEnd(raw); err != nil {
				return err
			}
			m.Console = g.console.trial(wire.BeginLine(m.ID), wire.EndLine(m.ID, m.Result))
			g.kept = &m
			continue
		}
		receive(m)
		g.silence.heard(time.Now(), g.proc.CPUTime())
	}
	if err != nil {
		return &InfraError{What: "mailbox", Err: err}
	}
	return nil
}

// overdue returns a reason to end the guest, or an error where it is QEMU that does
// not go on.
func (g *Guest) overdue() (Reason, error) {
	limit := g.cfg.Silence
	if g.release == "" {
		limit = g.cfg.BootLimit
	}
	now := time.Now()
	switch {
	case g.release == "" && deadLine.Match(g.console.end(2<<10)):
		return Panicked, nil
	case g.console.flooded():
		return Flooded, nil
	case g.cfg.Paused || g.stopped || limit == 0:
		g.silence.looked = now
		return 0, nil
	}
	w := &g.silence
	w.look(now, g.proc.Usage)
	if !w.hung(limit) {
		if text := w.warning(now, limit, g.proc.PID()); text != "" && g.cfg.Notice != nil {
			g.cfg.Notice(text)
		}
		return 0, nil
	}
	if w.stopped {
		return 0, g.infra("qemu does not go on", w.why(g.proc.PID()))
	}
	return Hung, nil
}

// infra is the error for what is not the guest's doing.
func (g *Guest) infra(what string, err error) error {
	if g.release == "" {
		return g.bootError(what, err)
	}
	return &InfraError{What: what, Err: err}
}

// deadLine is the last of a kernel that has panicked too early to restart the
// machine.
var deadLine = regexp.MustCompile(`(?m)---\[ end Kernel panic - not syncing: `)

// panicLine matches the kernel's own line, with its time stamp.
var panicLine = regexp.MustCompile(`(?m)^\[ *[0-9]+\.[0-9]+\](?:\[ *[TC][0-9]+\])? Kernel panic - not syncing: (.*?)\r?$`)

// verdict judges a guest whose QEMU has ended. why is QMP's reason.
func (g *Guest) verdict(why string) (*End, error) {
	if err := g.fromOutside(why); err != nil {
		what := "qemu ended under the guest"
		if g.release == "" {
			what = "qemu ended"
		}
		return nil, g.infra(what, err)
	}
	switch {
	case endsInPanic(g.console.end(consoleKeep)):
		return g.ended(Panicked)
	case why == "guest-reset":
		return g.ended(Reset)
	}
	return g.ended(PoweredOff)
}

// fromOutside is why a QEMU ended that its guest has not ended, else nil. QEMU's status
// is 0 too where a signal or a command has ended it, and the reason of its last
// SHUTDOWN event says so.
func (g *Guest) fromOutside(reason string) error {
	if err := g.proc.Wait(); err != nil {
		return err
	}
	switch reason {
	case "guest-shutdown", "guest-reset", "guest-panic": // all that QEMU has (qapi/run-state.json, ShutdownCause)
		return nil
	case "":
		reason = "nobody knows why: QMP did not tell"
	}
	if words := g.proc.LastWords(); words != "" {
		reason += ": " + words
	}
	return fmt.Errorf("it was not the guest that ended it (%s)", reason)
}

// endsInPanic says whether the kernel panicked. A program can print the same
// line, but then init goes on to say how its trial ended.
func endsInPanic(console []byte) bool {
	all := panicLine.FindAllIndex(console, -1)
	if len(all) == 0 {
		return false
	}
	return !bytes.Contains(console[all[len(all)-1][1]:], []byte("\nlab: trial "))
}

func (g *Guest) ended(reason Reason) (*End, error) {
	if g.failed != "" {
		return nil, g.bootError("init gave up", errors.New(g.failed))
	}
	if g.release == "" {
		return nil, g.bootError(notReady(reason), nil)
	}
	return &End{Reason: reason, Release: g.release, Console: g.console.rest(), Took: time.Since(g.started)}, nil
}

// notReady says that a guest ended while it booted.
func notReady(reason Reason) string {
	return "the guest ended before its init was ready (" + reason.String() + ")"
}

func (g *Guest) lastLines() string { return lastLines(g.console.end(2<<10), 12) }

func lastLines(b []byte, n int) string {
	lines := strings.Split(strings.TrimSpace(string(b)), "\n")
	if len(lines) > n {
		lines = lines[len(lines)-n:]
	}
	for i, l := range lines {
		lines[i] = "  " + strings.TrimRight(l, "\r")
	}
	return strings.TrimSpace(strings.Join(lines, "\n"))
}
