package journal

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"ghostlab/lab/crash"
	"ghostlab/lab/matrix"
)

// shard makes a part of a run of 3 cells with 5 trials each, but for the last
// trials of it.
func shard(t *testing.T, runs string, s matrix.Shard, change func(*Run), lacking int) string {
	t.Helper()
	run := planned(Run{ID: fmt.Sprintf("part-%d", s.Index), Scenario: "x", Trials: 5, Seed: 7, Shard: s, Sessions: []Session{{FirstVM: 1, Lab: s.String()}}}, 3)
	if change != nil {
		change(&run)
	}
	f, err := Create(runs, run)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	own := membership(&run)
	for n, cell := range matrix.Order(len(run.Cells), run.Trials, run.Seed) {
		if n++; !own.Has(n) || own.Len()-lacking < 1 {
			continue
		}
		if lacking > 0 {
			lacking--
			continue
		}
		tr := Trial{N: n, Cell: int(cell), Outcome: crash.Crash, VM: n%2 + 1}
		if err := f.Append(tr, Evidence{"console.log": fmt.Append(nil, n)}); err != nil {
			t.Fatal(err)
		}
	}
	for k := range 2 {
		dir := f.VM(k + 1)
		if err := errors.Join(os.MkdirAll(dir, 0o755), os.WriteFile(filepath.Join(dir, "spec.txt"), []byte(run.ID), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	return f.Dir()
}

func TestMergedShardsAreTheRun(t *testing.T) {
	runs := t.TempDir()
	var parts []string
	for i := 3; i >= 1; i-- { // their order does not matter
		parts = append(parts, shard(t, runs, matrix.Shard{Index: i, Of: 3}, nil, 0))
	}
	dir, err := Merge(t.Context(), runs, parts, false)
	if err != nil {
		t.Fatal(err)
	}
	order := matrix.Order(3, 5, 7)
	var got []int
	run, err := Open(dir, func(tr Trial) {
		got = append(got, tr.N)
		if tr.Cell != int(order[tr.N-1]) {
			t.Errorf("trial %d in cell %d", tr.N, tr.Cell)
		}
		log, _ := os.ReadFile(filepath.Join(TrialDir(dir, tr.N), "console.log"))
		if string(log) != fmt.Sprint(tr.N) {
			t.Errorf("trial %d has the console %q", tr.N, log)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if slices.Sort(got); len(got) != 15 || len(slices.Compact(got)) != 15 || !run.Shard.Whole() || run.ID != filepath.Base(dir) {
		t.Errorf("%s has trials %v", run.ID, got)
	}
	// Guests have new numbers: those of one part do not hide another's.
	for i, s := range run.Sessions {
		spec, _ := os.ReadFile(filepath.Join(VMDir(dir, s.FirstVM), "spec.txt"))
		if want := filepath.Base(parts[i]); string(spec) != want {
			t.Errorf("guest %d is %q's, want %s", s.FirstVM, spec, want)
		}
	}
	if again, err := Merge(t.Context(), runs, parts, false); err != nil || again == dir {
		t.Errorf("merged again: %s (%v)", again, err)
	}
	if left, _ := filepath.Glob(filepath.Join(runs, ".merge-*")); left != nil {
		t.Errorf("left: %v", left)
	}
}

func TestMergeNamesWhatIsWrong(t *testing.T) {
	one, two := matrix.Shard{Index: 1, Of: 2}, matrix.Shard{Index: 2, Of: 2}
	for want, parts := range map[string]func(runs string) []string{
		"part 2/2 is missing": func(runs string) []string { return []string{shard(t, runs, one, nil, 0)} },
		"part 1/2 is there twice": func(runs string) []string {
			return []string{shard(t, runs, one, nil, 0), shard(t, runs, one, nil, 0), shard(t, runs, two, nil, 0)}
		},
		"part 2/2 lacks 3 trials: `lab run --resume": func(runs string) []string {
			return []string{shard(t, runs, one, nil, 0), shard(t, runs, two, nil, 3)}
		},
		"seed: 7 -> 8": func(runs string) []string {
			return []string{shard(t, runs, one, nil, 0), shard(t, runs, two, func(r *Run) { r.Seed = 8 }, 0)}
		},
		"QEMU:  -> 9": func(runs string) []string {
			return []string{shard(t, runs, one, nil, 0), shard(t, runs, two, func(r *Run) { r.QEMU = "9" }, 0)}
		},
		"number of parts: 2 -> 3": func(runs string) []string {
			return []string{shard(t, runs, one, nil, 0), shard(t, runs, matrix.Shard{Index: 2, Of: 3}, nil, 0)}
		},
		"is no part but a run": func(runs string) []string { return []string{write(t, runs, "r", time.Now(), 1).Dir()} },
	} {
		runs := t.TempDir()
		named := parts(runs)
		_, err := Merge(t.Context(), runs, named, false)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
		if all, _ := os.ReadDir(runs); len(all) != len(named) {
			t.Errorf("%s: a folder was made", want)
		}
	}
}

// A trial that is another part's is not counted.
func TestMergeRefusesAlienTrials(t *testing.T) {
	runs := t.TempDir()
	dir := shard(t, runs, matrix.Shard{Index: 1, Of: 2}, nil, 0)
	run, err := ReadRun(dir)
	if err != nil {
		t.Fatal(err)
	}
	run.Shard.Index = 2
	if err := within(dir, func(r root) error { return r.writeRun(run, true) }); err != nil {
		t.Fatal(err)
	}
	var parts *PartsError
	if _, err := Merge(t.Context(), runs, []string{dir}, false); !errors.As(err, &parts) || !strings.Contains(err.Error(), "is not one of part 2/2") {
		t.Errorf("got %v", err)
	}
}

// A merge looks at the guests' folders that are there, not at what trials say.
func TestMergeOfAGuestWithAHighNumber(t *testing.T) {
	runs := t.TempDir()
	parts := []string{shard(t, runs, matrix.Shard{Index: 1, Of: 2}, nil, 1), shard(t, runs, matrix.Shard{Index: 2, Of: 2}, nil, 0)}
	f, err := Resume(parts[0], nil)
	if err != nil {
		t.Fatal(err)
	}
	run, done := f.Run(), f.Done()
	own := membership(&run)
	for n, cell := range matrix.Order(3, 5, 7) {
		if n++; own.Has(n) && !done.Has(n) {
			err = f.Append(Trial{N: n, Cell: int(cell), Outcome: crash.Pass, VM: 4e12}, nil)
		}
	}
	if err := errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
	dir, err := Merge(t.Context(), runs, parts, false)
	if err != nil {
		t.Fatal(err)
	}
	root, err := openRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	if got := root.numbered(vmsDir); len(got) != 4 || !slices.Contains(got, 4e12+1) {
		t.Errorf("guests %v", got)
	}
}

func TestMergeEndsWithItsContext(t *testing.T) {
	runs := t.TempDir()
	parts := []string{shard(t, runs, matrix.Shard{Index: 1, Of: 2}, nil, 0), shard(t, runs, matrix.Shard{Index: 2, Of: 2}, nil, 0)}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if dir, err := Merge(ctx, runs, parts, false); !errors.Is(err, context.Canceled) {
		t.Errorf("merged to %s: %v", dir, err)
	}
	if all, _ := os.ReadDir(runs); len(all) != len(parts) {
		t.Errorf("%d folders, want the %d parts", len(all), len(parts))
	}
}
