package vm

import (
	"errors"
	"strings"
	"testing"
	"time"

	"ghostlab/images"
	"ghostlab/initramfs/wire"
)

func forger(t *testing.T, ways ...string) Config {
	t.Helper()
	var trials []wire.Trial
	for i, way := range ways {
		trials = append(trials, wire.Trial{ID: i + 1, Argv: []string{images.ProgramPath, way}, Timeout: time.Minute})
	}
	return config(t, "forge", trials...)
}

// A root program that does no more than open files finds neither the mailbox nor init's
// memory nor the spec.
func TestMailboxIsOutOfReach(t *testing.T) {
	cfg := forger(t, "reach")
	var out string
	_, err := Run(t.Context(), cfg, func(m Message) { out += string(m.Output) })
	if err != nil || !strings.HasPrefix(out, "forge [reach]") || strings.Contains(out, "reached") {
		t.Errorf("%v\n%s", err, out)
	}
}

// One that mounts sysfs anew reaches it, and its results are refused: a second end of
// its own, one that the console knows as well, the next trial's, and one after which it
// switches the guest off.
func TestForgedResultsAreRefused(t *testing.T) {
	for way, want := range map[string]string{
		"again": "the end of trial 1 was reported by another than the guest's init: on the console",
		"said":  "the end of trial 1 was reported by another than the guest's init: that trial has ended already",
		"next":  "the beginning of trial 2 was reported by another than the guest's init: it is not that trial's turn",
		"off":   "the end of trial 1 was reported by another than the guest's init: the guest then went another way than init's (guest-shutdown)",
	} {
		t.Run(way, func(t *testing.T) {
			cfg := forger(t, way)
			if way == "next" {
				cfg = forger(t, way, "none")
			}
			ends := 0
			_, err := Run(t.Context(), cfg, func(m Message) {
				if m.Kind == wire.End {
					ends++
				}
			})
			var infra *InfraError
			if !errors.As(err, &infra) || !errors.As(err, new(*ForgedError)) || !strings.Contains(err.Error(), want) {
				t.Errorf("got %v, want %s", err, want)
			}
			if ends > 0 {
				t.Errorf("%d results", ends)
			}
		})
	}
}

func TestDialogue(t *testing.T) {
	spec := wire.Spec{Trials: []wire.Trial{{ID: 4}, {ID: 2}}}
	ready, full, failed := wire.Message{Kind: wire.Ready}, wire.Message{Kind: wire.Full}, wire.Message{Kind: wire.Failed}
	begin := func(id int) wire.Message { return wire.Message{Kind: wire.Begin, ID: id} }
	end := func(id int) wire.Message { return wire.Message{Kind: wire.End, ID: id, Result: &wire.Result{}} }
	for _, c := range []struct {
		wrong string // of the last message
		said  []wire.Message
	}{
		{"", []wire.Message{ready, begin(4), end(4), begin(2), end(2)}},
		{"", []wire.Message{ready, begin(4), end(4), full}},
		{"", []wire.Message{failed}},
		{"", []wire.Message{ready, begin(4), failed}},
		{"init is not ready yet", []wire.Message{begin(4)}},
		{"init was ready already", []wire.Message{ready, ready}},
		{"not that trial's turn", []wire.Message{ready, begin(2)}},
		{"not that trial's turn", []wire.Message{ready, end(4)}},
		{"not that trial's turn", []wire.Message{ready, begin(4), end(2)}},
		{"begun already", []wire.Message{ready, begin(4), begin(4)}},
		{"lacks a result", []wire.Message{ready, begin(4), {Kind: wire.End, ID: 4}}},
		{"ended already", []wire.Message{ready, begin(4), end(4), end(4)}},
		{"ended already", []wire.Message{ready, begin(4), end(4), begin(2), end(4)}},
		{"no such trial", []wire.Message{ready, begin(7)}},
		{"no such trial", []wire.Message{ready, begin(4), end(4), begin(2), end(2), begin(0)}},
		{"such a thing", []wire.Message{ready, begin(4), full}},
		{"such a thing", []wire.Message{ready, {}}},
		{"last word", []wire.Message{ready, full, begin(4)}},
	} {
		var d dialogue
		for i, m := range c.said {
			wrong := d.take(m, spec)
			if last := i == len(c.said)-1; !last && wrong != "" || last && (wrong == "") != (c.wrong == "") || last && !strings.Contains(wrong, c.wrong) {
				t.Errorf("%v: message %d is %q, want %q", c.said, i, wrong, c.wrong)
			}
		}
	}
}

// The kernel's words can stand in the middle of init's, and a program can set the
// terminal up otherwise.
func TestEndIsFoundOnTheConsole(t *testing.T) {
	r := &wire.Result{Exit: 2, Duration: 5 * time.Millisecond}
	for text, want := range map[string]bool{
		"out\nlab: trial 3 ends: exit status 2 after 5ms\n":                                                     true,
		"lab: trial 3 ends: exit status 2 after 5ms\r\n":                                                        true,
		"lab: tri[    1.234567] WARNING: x\r\n[    1.234570][  T12]  y\r\nal 3 ends: exit status 2 after 5ms\n": true,
		"lab: trial 3 ends: exit status 0 after 5ms\n":                                                          false,
		"lab: trial 13 ends: exit status 2 after 5ms\n":                                                         false,
		"lab: trial 3 begins\n":                                                                                 false,
	} {
		if got := saidEnd([]byte(text), 3, r); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}
