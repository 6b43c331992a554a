package experiment

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"ghostlab/lab/crash"
	"ghostlab/lab/journal"
	"ghostlab/lab/matrix"
	"ghostlab/scenarios"
)

// The pace is that of the newest run of the kind that can tell; a damaged one is
// no reason to say nothing.
func TestPaceOfAPastRun(t *testing.T) {
	runs := filepath.Join(t.TempDir(), "runs [old]")
	start := time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)
	past := func(id, engine string, pace time.Duration, trials int) string {
		start = start.Add(time.Hour)
		f, err := journal.Create(runs, journal.Run{ID: id, Started: start, Scenario: "s", Trials: 20, Engine: engine,
			Cells: make([]matrix.Cell, 1), Commands: make([]journal.Command, 1), Kernels: make([]journal.Kernel, 1)})
		for n := 1; n <= trials; n++ {
			err = errors.Join(err, f.Append(journal.Trial{N: n, Outcome: crash.Pass, Ended: start.Add(time.Duration(n) * pace)}, nil))
		}
		if err := errors.Join(err, f.Close()); err != nil {
			t.Fatal(err)
		}
		return f.Dir()
	}
	past("old", matrix.Parallel, 7*time.Second, 20)
	past("alike", matrix.Parallel, 2*time.Second, 20)
	past("short", matrix.Parallel, time.Minute, 3)
	past("another engine", matrix.Deterministic, 5*time.Second, 20)
	damaged := past("damaged", matrix.Parallel, time.Hour, 20)
	if err := os.WriteFile(filepath.Join(damaged, "trials.jsonl"), []byte("{\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for engine, want := range map[string]string{matrix.Parallel: "alike", matrix.Deterministic: "another engine"} {
		run, n, pace := pastPace(runs, &matrix.Matrix{Scenario: &scenarios.Scenario{Name: "s"}, Engine: engine})
		if run == nil || run.ID != want || n != 20 || pace != map[string]time.Duration{"alike": 2 * time.Second, "another engine": 5 * time.Second}[want] {
			t.Errorf("%s: %+v, %d trials, %v each; want %s", engine, run, n, pace, want)
		}
	}
	if run, _, _ := pastPace(runs, &matrix.Matrix{Scenario: &scenarios.Scenario{Name: "other"}}); run != nil {
		t.Errorf("the pace of %s", run.ID)
	}
}
