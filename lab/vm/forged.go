package vm

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"

	"ghostlab/initramfs/wire"
)

// A root program that gets at the mailbox can write to it what init would. What it
// writes is told from init's words by three things: init's come in the order of the
// spec, each once; init says on the console how a trial ended before it sends that, and
// the console cannot be written again; and init ends the machine in a way of its own.
// The end of a trial is therefore kept back until the guest's next word, or its end: a
// program that has sent one in init's name is followed by init's.
//
// A program that can mount sysfs anew can say all that on the console as well. It is
// found out when init's own words follow, which for the trials before in the same guest
// may be too late.

// dialogue is how far a guest has come with its spec. The zero value expects Ready.
type dialogue struct {
	ready, begun, over bool
	done               int // trials of the spec
}

// take checks that a message is the next that init says, and returns what it is instead.
func (d *dialogue) take(m wire.Message, spec wire.Spec) (wrong string) {
	id := 0 // the next trial's
	if d.done < len(spec.Trials) {
		id = spec.Trials[d.done].ID
	}
	switch {
	case d.over:
		return "it comes after init's last word"
	case m.Kind == wire.Failed || m.Kind == wire.Full && d.ready && !d.begun:
		d.over = true
	case m.Kind == wire.Ready && !d.ready:
		d.ready = true
	case m.Kind == wire.Ready:
		return "init was ready already"
	case !d.ready:
		return "init is not ready yet"
	case m.Kind == wire.Begin && !d.begun && m.ID == id && id != 0:
		d.begun = true
	case m.Kind == wire.End && d.begun && m.ID == id && m.Result != nil:
		d.begun, d.done = false, d.done+1
	case m.Kind == wire.Begin || m.Kind == wire.End:
		return d.misplaced(m, spec)
	default:
		return "init does not say such a thing here"
	}
	return ""
}

func (d *dialogue) misplaced(m wire.Message, spec wire.Spec) string {
	for i, t := range spec.Trials {
		switch {
		case t.ID != m.ID:
		case i < d.done:
			return "that trial has ended already"
		case i > d.done || m.Kind == wire.End && !d.begun:
			return "it is not that trial's turn"
		case m.Kind == wire.Begin:
			return "that trial has begun already"
		default:
			return "it lacks a result"
		}
	}
	return "the guest has no such trial"
}

// kernelLine is what the kernel says on the console, maybe in the middle of a line of
// init's.
var kernelLine = regexp.MustCompile(`\[ *[0-9]+\.[0-9]{6}\](?:\[ *[TC][0-9]+\])? [^\n]*\n`)

// saidEnd says whether init has said on the console how a trial ended. Programs can make
// the terminal end its lines with "\r\n".
func saidEnd(console []byte, id int, r *wire.Result) bool {
	line := []byte(strings.TrimSuffix(wire.EndLine(id, r), "\n"))
	return bytes.Contains(console, line) || bytes.Contains(kernelLine.ReplaceAll(console, nil), line)
}

// checkEnd says whether the end of a trial is what init has said on the console.
func (g *Guest) checkEnd(m wire.Message) error {
	if g.cfg.Spec.Console != nil && g.dialogue.done == 1 {
		return nil // the console was its program's
	}
	if !saidEnd(g.console.from(g.console.past), m.ID, m.Result) {
		return g.forged(m, "on the console init has not said so")
	}
	return nil
}

// checkOff says whether the guest was ended by its init, where it has sent the last
// trial's end. why is QMP's reason, empty where it could not tell.
func (g *Guest) checkOff(why string) error {
	// A guest that is recorded, or whose program did not start, is switched off by its
	// kernel, and one that panics restarts.
	if g.kept == nil || g.kept.Result.Error != "" || g.cfg.Record != "" || why != "guest-shutdown" && why != "guest-reset" || endsInPanic(g.console.end(consoleKeep)) {
		return nil
	}
	return g.forged(g.kept.Message, "the guest then went another way than init's ("+why+")")
}

func (g *Guest) forged(m wire.Message, wrong string) error {
	what := map[wire.Kind]string{wire.Begin: "the beginning", wire.End: "the end"}[m.Kind]
	if what == "" {
		return &InfraError{What: "mailbox", Err: &ForgedError{What: "a message", Wrong: wrong}}
	}
	return &InfraError{What: "mailbox", Err: &ForgedError{What: fmt.Sprintf("%s of trial %d", what, m.ID), Wrong: wrong}}
}

// ForgedError says that a message is not init's own: a program in the guest has written to
// the lab's mailbox.
type ForgedError struct {
	What  string // such as "the end of trial 7"
	Wrong string // how that is known
}

func (e *ForgedError) Error() string {
	return fmt.Sprintf("%s was reported by another than the guest's init: %s", e.What, e.Wrong)
}

// Hint says what to do about it.
func (e *ForgedError) Hint() string {
	return "a program of the guest has written to the lab's mailbox, or has switched the guest off while its trial ended;\n" +
		"none of its results in that guest are to be believed"
}
