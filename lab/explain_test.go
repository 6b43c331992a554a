package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"ghostlab/gdb/explain"
	"ghostlab/lab/journal"
	"ghostlab/lab/labtest"
	"ghostlab/lab/runner"
)

// crashes runs a matrix and returns its run, and a trial of each cell that
// failed.
func crashes(t *testing.T, runs, text string) (run string, trials []journal.Trial) {
	t.Helper()
	labtest.Kernel(t)
	file := filepath.Join(t.TempDir(), "matrix.yaml")
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	if code, _, stderr := lab(t, "run", file, "--scenarios", "../scenarios", "--runs", runs); code != exitOK {
		t.Fatalf("exit code %d\n%s", code, stderr)
	}
	run, err := journal.Find(runs, "")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[int]bool{}
	_, err = journal.Open(run, func(tr journal.Trial) {
		if runner.Failed(tr) && !seen[tr.Cell] {
			seen[tr.Cell] = true
			trials = append(trials, tr)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return run, trials
}

// explained runs lab explain on a trial and returns what it found.
func explained(t *testing.T, runs string, n int) *explain.Explanation {
	t.Helper()
	code, stdout, stderr := lab(t, "explain", strconv.Itoa(n), "--json", "--scenarios", "../scenarios", "--runs", runs)
	e := &explain.Explanation{}
	if err := json.Unmarshal([]byte(stdout), e); code != exitOK || err != nil {
		t.Fatalf("trial %d: exit code %d, %v\n%s%s", n, code, err, stdout, stderr)
	}
	return e
}

func TestExplainFindsTheOtherWriterOfAMap(t *testing.T) {
	runs := t.TempDir()
	_, trials := crashes(t, runs, "scenario: ghost-map\ntrials: 4\nseed: 1\nengine: deterministic\nshift: 6\n"+
		"axes:\n  key_space: [growing]\n  vcpus: [1]\n  go: [1.21.6, 1.24.6]\n")
	if len(trials) != 2 {
		t.Fatalf("%d of 2 cells crashed", len(trials))
	}
	for _, tr := range trials {
		e := explained(t, runs, tr.N)
		if e.Signature != tr.Title || e.Victim == nil || e.Culprit == nil || e.Victim.ID == e.Culprit.ID || e.Apart <= 0 || e.Map == nil || e.Map.Count == 0 {
			t.Errorf("trial %d: %+v", tr.N, e)
			continue
		}
		for _, s := range []*explain.Side{e.Victim, e.Culprit} {
			at := s.Stack[s.Place(explain.Sources{Module: "ghost-map"})]
			if at.Func != "main.writeGrowing" || at.File != "ghost-map/main.go" || !strings.Contains(sourceLine(t, "main.go", at.Line), "] = uint64(i)") {
				t.Errorf("trial %d: goroutine %d in %s, %s:%d", tr.N, s.ID, at.Func, at.File, at.Line)
			}
			if s.Created.Func != "main.run" {
				t.Errorf("trial %d: goroutine %d was created by %s", tr.N, s.ID, s.Created.Func)
			}
		}
		var sum int64
		for _, turn := range e.Schedule {
			sum += turn.Instructions
		}
		if first := e.Schedule[0]; sum != e.Apart || first.Goroutine != e.Culprit.ID {
			t.Errorf("trial %d: the schedule has %d instructions, %d lie between; it begins with %v", tr.N, sum, e.Apart, first)
		}
	}
}

// sourceLine is a line of the scenario's program.
func sourceLine(t *testing.T, file string, n int) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("../scenarios/ghost-map/repro", file))
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(text), "\n")
	if n < 1 || n > len(lines) {
		return ""
	}
	return lines[n-1]
}
