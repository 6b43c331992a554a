package vm

import (
	"bytes"
	"context"
	"errors"
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
			case e.Event == "GUEST_PANICKED" && g.holds():
				off = true // a held guest's way to power off
			case e.Event == "STOP":
				g.stopped = true // by a debugger
			case e.Event == "RESUME":
				g.stopped, g.heard, g.spent = false, time.Now(), g.proc.CPUTime()
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
			return g.verdict(g.lastReason(events, reason))
		}
		if reason := g.overdue(); reason != 0 {
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
		g.heard, g.spent = time.Now(), g.proc.CPUTime()
		switch m.Kind {
		case wire.Ready:
			g.release = m.Release
		case wire.Failed:
			g.failed = m.Error
		case wire.End:
			if m.Result != nil {
				m.Console = g.console.trial(wire.BeginLine(m.ID), wire.EndLine(m.ID, m.Result))
			}
		}
		receive(m)
	}
	if err != nil {
		return &InfraError{What: "mailbox", Err: err}
	}
	return nil
}

func (g *Guest) overdue() Reason {
	limit := g.cfg.Silence
	if g.release == "" {
		limit = g.cfg.BootLimit
	}
	switch {
	case g.release == "" && deadLine.Match(g.console.end(2<<10)):
		return Panicked
	case g.console.flooded():
		return Flooded
	case g.cfg.Paused || g.stopped || limit == 0:
		return 0
	}
	silent := time.Since(g.heard)
	if silent > slowHost*limit || silent > limit && g.proc.CPUTime()-g.spent > limit/2 {
		return Hung
	}
	return 0
}

// deadLine is the last of a kernel that has panicked too early to restart the
// machine.
var deadLine = regexp.MustCompile(`(?m)---\[ end Kernel panic - not syncing: `)

// panicLine matches the kernel's own line, with its time stamp.
var panicLine = regexp.MustCompile(`(?m)^\[ *[0-9]+\.[0-9]+\](?:\[ *[TC][0-9]+\])? Kernel panic - not syncing: (.*?)\r?$`)

// verdict judges a guest whose QEMU has ended. why is QMP's reason.
func (g *Guest) verdict(why string) (*End, error) {
	if err := g.proc.Wait(); err != nil {
		if g.release == "" {
			return nil, g.bootError("qemu ended", err)
		}
		return nil, &InfraError{What: "qemu ended under the guest", Err: err}
	}
	switch {
	case endsInPanic(g.console.end(consoleKeep)):
		return g.ended(Panicked)
	case why == "guest-reset":
		return g.ended(Reset)
	}
	return g.ended(PoweredOff)
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
