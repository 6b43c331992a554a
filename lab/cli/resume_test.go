package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	osexec "os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// numbers are how often each trial is in the one run's trials.jsonl.
func numbers(t *testing.T, runs string) map[int]int {
	t.Helper()
	files, _ := filepath.Glob(filepath.Join(runs, "*", "trials.jsonl"))
	if len(files) != 1 {
		t.Fatalf("runs: %v", files)
	}
	text, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	times := map[int]int{}
	for line := range bytes.Lines(text) {
		var tr struct{ Trial int }
		if err := json.Unmarshal(line, &tr); err != nil {
			t.Fatalf("%v\n%s", err, line)
		}
		times[tr.Trial]++
	}
	return times
}

func wantOnce(t *testing.T, runs string, trials int) {
	t.Helper()
	got := numbers(t, runs)
	for n := 1; n <= trials; n++ {
		if got[n] != 1 {
			t.Errorf("trial %d is there %d times", n, got[n])
		}
	}
	if len(got) != trials {
		t.Errorf("%d trials, want %d", len(got), trials)
	}
}

// eighteen writes a matrix of so many trials that claims nothing.
func eighteen(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "m.yaml")
	text := "scenario: ghost-map\ntrials: 3\nseed: 5\naxes: {gomaxprocs: [1, 2], mmap_align: [none, 4KiB, 2MiB]}\n"
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestResumeAfterKill(t *testing.T) {
	program, runs := binary(t), t.TempDir()
	cmd := osexec.Command(program, "run", eighteen(t), "--runs", runs)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Process.Kill()
	awaitFinished(t, runs, 4)
	if code, _, stderr := lab(t, "run", "--resume", "--runs", runs); code != exitUsage || !strings.Contains(stderr, "another lab is running") {
		t.Errorf("a second lab: exit code %d\n%s", code, stderr)
	}
	cmd.Process.Signal(syscall.SIGKILL)
	cmd.Wait()
	done := finished(t, runs)
	dirs, _ := filepath.Glob(filepath.Join(runs, "*"))
	log, err := os.OpenFile(filepath.Join(dirs[0], "trials.jsonl"), os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		t.Fatal(err)
	}
	log.WriteString(`{"trial":9,"cell":1,"outc`)
	log.Close()
	code, table, _ := lab(t, "show", "--runs", runs)
	if want := fmt.Sprintf("%d of 18 trials have not run; this runs them: lab run --resume ", 18-done); code != exitOK || !strings.Contains(table, want) {
		t.Errorf("show lacks %q:\n%s", want, table)
	}
	if code, _, stderr := lab(t, "run", "--resume", filepath.Base(dirs[0]), "--runs", runs, "--seed", "6"); code != exitUsage || !strings.Contains(stderr, "seed: 5 -> 6") {
		t.Errorf("another seed: exit code %d\n%s", code, stderr)
	}
	if code, _, stderr := lab(t, "run", "--resume", filepath.Base(dirs[0]), "--runs", runs); code != exitOK {
		t.Fatalf("exit code %d\n%s", code, stderr)
	}
	wantOnce(t, runs, 18)
	code, again, stderr := lab(t, "run", "--resume", "--runs", runs)
	if code != exitOK || !strings.Contains(stderr, "has all its trials") || !strings.Contains(again, "gomaxprocs") {
		t.Errorf("a finished run: exit code %d\n%s%s", code, again, stderr)
	}
}
