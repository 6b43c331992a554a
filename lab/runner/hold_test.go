package runner

import (
	"context"
	"errors"
	"strings"
	"testing"

	"ghostlab/gdb/ends"
	"ghostlab/gdb/rsp"
	"ghostlab/images"
	"ghostlab/lab/crash"
	"ghostlab/lab/journal"
	"ghostlab/lab/labtest"
	"ghostlab/lab/vm"
)

func TestCoreOrWhyThereIsNone(t *testing.T) {
	var said string
	turn := &turn{run: newRun(t.Context(), nil, Job{Notice: func(text string) { said = text }})}
	turn.keepCore(nil, errors.New("the guest is gone"))
	if said != "no core: the guest is gone" || turn.core != nil {
		t.Errorf("said %q", said)
	}
}

func TestMoved(t *testing.T) {
	first := Execution{Trial: journal.Trial{N: 7, Outcome: crash.Crash, Title: "SIGSEGV", Exit: 2}, Evidence: journal.Evidence{"console.log": []byte("a\nb\n")}}
	again := first
	if err := moved(first, again); err != nil {
		t.Error(err)
	}
	again.Evidence = journal.Evidence{"console.log": []byte("a\nc\n")}
	if err := moved(first, again); err == nil || !strings.Contains(err.Error(), `trial 7 takes another course with a breakpoint at its crash: output line 2: "b", now "c"`) {
		t.Error(err)
	}
	first.Evidence = nil // the matrix keeps none
	if err := moved(first, again); err != nil {
		t.Error(err)
	}
	again.Exit = 1
	if err := moved(first, again); err == nil {
		t.Error("another exit status is the same crash")
	}
}

// Deterministic trials that failed are stopped at their crash in another run of
// theirs, with any number of vCPUs, and are the same to the byte.
func TestAtCrash(t *testing.T) {
	job := racing(t, "trials: 1\nengine: deterministic\nshift: 6\ncollect: [console, core]\naxes:\n  key_space: [growing]\n  vcpus: [1, 2, 4]\n")
	job.Verify = 0
	image := images.Name("", labtest.Go)
	place, err := ends.Find(job.Image[image].Kernel.Vmlinux())
	if err != nil {
		t.Fatal(err)
	}
	job.Hold = map[string]*ends.Place{image: place}
	if err := Run(t.Context(), job); err != nil {
		t.Fatal(err)
	}
	_, all := trials(t, job)
	for _, tr := range all {
		r, err := NewReplayer(t.Context(), job, job.Folder.Dir(), tr)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		evidence, err := journal.ReadEvidence(job.Folder.Dir(), tr.N)
		if err != nil {
			t.Fatal(err)
		}
		stops := 0
		err = r.AtCrash(place, evidence, func(ctx context.Context, c *rsp.Client) error {
			stops++
			if here, failing, err := place.Here(ctx, c); !here || !failing || err != nil {
				t.Errorf("trial %d is looked at elsewhere: %v, %v, %v", tr.N, here, failing, err)
			}
			return nil
		})
		var none *NoFailureError
		switch {
		case !Failed(tr) && !errors.As(err, &none):
			t.Errorf("trial %d (%s, %s): %v", tr.N, tr.Outcome, tr.Schedule, err)
		case Failed(tr) && (err != nil || stops != 1):
			t.Errorf("trial %d (%s, %s): %d stops, %v", tr.N, tr.Outcome, tr.Schedule, stops, err)
		}
		if !Failed(tr) {
			continue
		}
		if len(evidence[CoreFile]) == 0 {
			t.Errorf("trial %d (%s) has no core", tr.N, tr.Schedule)
		}
		released := make(chan error, 1)
		if err = r.Hold(place, evidence, false, func(g vm.Live) { go func() { released <- letGo(t.Context(), g) }() }); err == nil {
			err = <-released
		}
		if err != nil {
			t.Errorf("trial %d (%s) is not held: %v", tr.N, tr.Schedule, err)
		}
	}
}

// letGo lets a held guest go on, as a debugger that leaves does.
func letGo(ctx context.Context, g vm.Live) error {
	if g.Held == "" {
		return errors.New("nobody says that it is held")
	}
	c, err := rsp.Dial(ctx, g.GDB())
	if err != nil {
		return err
	}
	defer c.Close()
	return c.Detach(ctx)
}
