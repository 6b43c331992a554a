package runner

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"ghostlab/lab/crash"
	"ghostlab/lab/journal"
	"ghostlab/lab/matrix"
)

func TestCollected(t *testing.T) {
	all := journal.Evidence{"console.log": nil, "lab_fault.txt": nil, "guest.log": nil, "stacks.txt": nil, "crash.json": nil}
	failed, passed, sample := journal.Trial{Outcome: crash.Crash}, journal.Trial{Outcome: crash.Pass}, journal.Trial{Outcome: crash.Pass, Sample: true}
	for _, c := range []struct {
		collect []string
		trial   journal.Trial
		want    []string
	}{
		{matrix.DefaultCollect().Evidence, failed, []string{"console.log", "crash.json", "guest.log", "lab_fault.txt", "stacks.txt"}},
		{matrix.DefaultCollect().Evidence, passed, nil},
		{[]string{matrix.Console}, failed, []string{"console.log", "crash.json"}},
		{[]string{matrix.Console}, sample, []string{"console.log", "crash.json"}},
		{nil, failed, []string{"crash.json"}},
	} {
		r := &run{Job: Job{Matrix: &matrix.Matrix{Collect: matrix.Collect{Evidence: c.collect}}}}
		if got := slices.Sorted(maps.Keys(r.collected(c.trial, all))); !slices.Equal(got, c.want) {
			t.Errorf("%q of %+v: kept %q, want %q", c.collect, c.trial, got, c.want)
		}
	}
}

// What a matrix does not collect is nowhere in the run's folder.
func TestNothingElseIsKept(t *testing.T) {
	job := plan(t, matrix.Fork, 2, "pass", "panic")
	job.Matrix.Collect = matrix.Collect{Evidence: []string{matrix.Console}, Passes: 1}
	if err := Run(t.Context(), job); err != nil {
		t.Fatal(err)
	}
	var kept []string
	err := filepath.WalkDir(job.Folder.Dir(), func(path string, d os.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			kept = append(kept, d.Name())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(kept)
	for _, name := range []string{"guest.log", "lab_fault.txt", "serial.log", "stacks.txt"} {
		if slices.Contains(kept, name) {
			t.Errorf("%s is kept: %q", name, kept)
		}
	}
	if !slices.Contains(kept, "console.log") || !slices.Contains(kept, "crash.json") {
		t.Errorf("kept %q", kept)
	}
}
