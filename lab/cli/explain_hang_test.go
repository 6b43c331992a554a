package cli

import (
	"path/filepath"
	"strings"
	"testing"

	"ghostlab/gdb/explain"
	"ghostlab/lab/crash"
)

// standstill is the explanation of two mutexes in two orders.
func standstill(t *testing.T, e *explain.Explanation, dir string) {
	t.Helper()
	holders := map[int64]int64{}
	for _, w := range e.Waiting {
		if w.Reason != "sync.Mutex.Lock" {
			continue
		}
		if w.Holder == nil || !strings.HasPrefix(w.On, "internal/sync.Mutex at 0x") {
			t.Fatalf("%+v", w)
		}
		holders[w.ID] = w.Holder.ID
		if at, line := placeOf(t, w.Holder, "example.com/crashes", dir); !strings.Contains(line, "order[0].Lock()") {
			t.Errorf("goroutine %d locked it in %s, %q", w.Holder.ID, at, line)
		}
	}
	for waits, holds := range holders {
		if waits == holds || holders[holds] != waits {
			t.Errorf("who waits for whom: %v", holders)
		}
	}
	if len(holders) != 2 || len(e.Waiting) != 3 {
		t.Errorf("%d goroutines wait, %d of them for a mutex", len(e.Waiting), len(holders))
	}
}

// A program that does not end goes round for what another goroutine has written.
func TestExplainSaysWhatAHangGoesRoundFor(t *testing.T) {
	dir, err := filepath.Abs("testdata/crashes")
	if err != nil {
		t.Fatal(err)
	}
	runs := t.TempDir()
	trials := crashes(t, runs, "scenario: "+dir+"\ntrials: 1\nengine: deterministic\nshift: 5\ntimeout: 100ms\n"+
		"axes:\n  crash: [stall]\n  vcpus: [1]\n  go: [1.24.6]\n", 1)
	if len(trials) != 1 || trials[0].Outcome != crash.Hang {
		t.Fatalf("%+v", trials)
	}
	e := explained(t, runs, trials[0].N)
	if len(e.Waiting) != 1 || e.Victim != nil {
		t.Fatalf("%+v", e)
	}
	w := e.Waiting[0]
	if w.Waits() || w.ID != 1 || w.Holder == nil || w.Holder.ID == 1 || len(w.Words) == 0 || !strings.HasPrefix(w.Loop, "by `") {
		t.Fatalf("%+v", w)
	}
	for who, s := range map[string]*explain.Side{"victim": {Goroutine: w.Goroutine}, "culprit": w.Holder} {
		if at, line := placeOf(t, s, "example.com/crashes", dir); !strings.Contains(line, "// the "+who) {
			t.Errorf("the %s is in %s, %q", who, at, line)
		}
	}
}
