package journal

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"ghostlab/lab/crash"
)

// resume goes on with a run as lab does, and returns its trials' numbers.
func resume(t *testing.T, dir string, trials int) []int {
	t.Helper()
	f, err := Resume(dir, func(Trial) {})
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Continue(Session{}); err != nil {
		t.Fatal(err)
	}
	for n := 1; n <= trials; n++ {
		if !f.Done().Has(n) {
			if err := f.Append(Trial{N: n, Outcome: crash.Pass}, nil); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	got := read(t, dir)
	slices.Sort(got)
	return got
}

// Wherever a lab is killed, the next one completes the run: each trial is there
// once, on lines of its own.
func TestResumeAfterACutAtEveryByte(t *testing.T) {
	if _, err := os.Stat("/dev/shm"); err == nil {
		t.Setenv("TMPDIR", "/dev/shm") // some thousand syncs
	}
	f := write(t, t.TempDir(), "r", time.Now(), 3)
	log := filepath.Join(f.Dir(), trialsFile)
	whole, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	for cut := range len(whole) + 1 {
		if err := os.WriteFile(log, whole[:cut], 0o644); err != nil {
			t.Fatal(err)
		}
		if got := resume(t, f.Dir(), 3); !slices.Equal(got, []int{1, 2, 3}) {
			t.Fatalf("cut at %d: trials %v", cut, got)
		}
		text, _ := os.ReadFile(log)
		if kept := whole[:bytes.LastIndexByte(whole[:cut], '\n')+1]; !bytes.HasPrefix(text, kept) {
			t.Fatalf("cut at %d: a line that was whole has changed", cut)
		}
	}
	os.Remove(log)
	if got := resume(t, f.Dir(), 3); len(got) != 3 {
		t.Errorf("without the file: trials %v", got)
	}
}

func TestLongTornLineIsCutOff(t *testing.T) {
	f := write(t, t.TempDir(), "r", time.Now(), 2)
	log := filepath.Join(f.Dir(), trialsFile)
	whole, _ := os.ReadFile(log)
	for _, tail := range []int{4095, 4096, 4097, 3 << 20} {
		if err := os.WriteFile(log, append(bytes.Clone(whole), make([]byte, tail)...), 0o644); err != nil {
			t.Fatal(err)
		}
		if got := resume(t, f.Dir(), 2); !slices.Equal(got, []int{1, 2}) {
			t.Errorf("%d bytes of a torn line: trials %v", tail, got)
		}
	}
}

func TestOneLabAtATime(t *testing.T) {
	dir := t.TempDir()
	f, err := Create(dir, Run{ID: "r"})
	if err != nil {
		t.Fatal(err)
	}
	var busy *BusyError
	if _, err := Resume(f.Dir(), func(Trial) {}); !errors.As(err, &busy) || !Running(f.Dir()) {
		t.Errorf("while it is written: %v", err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if Running(f.Dir()) {
		t.Error("it is running without a lab")
	}
	if f, err = Resume(f.Dir(), func(Trial) {}); err != nil {
		t.Fatal(err)
	}
	f.Close()
}

// A trial that infrastructure kept from its result is missing until it has one.
func TestInfraIsTriedAgain(t *testing.T) {
	f := write(t, t.TempDir(), "r", time.Now(), 2)
	var outcomes []string
	open := func() {
		t.Helper()
		outcomes = nil
		if _, err := Open(f.Dir(), func(tr Trial) { outcomes = append(outcomes, fmt.Sprint(tr.N, tr.Outcome)) }); err != nil {
			t.Fatal(err)
		}
	}
	for _, o := range []crash.Outcome{crash.Infra, crash.Infra, crash.Crash} {
		g, err := Resume(f.Dir(), func(Trial) {})
		if err != nil {
			t.Fatal(err)
		}
		g.run.Trials = 3
		if err := errors.Join(g.save(), g.Append(Trial{N: 3, Outcome: o}, nil), g.Close()); err != nil {
			t.Fatal(err)
		}
		if open(); !slices.Equal(outcomes, []string{"1pass", "2pass", "3" + string(o)}) {
			t.Errorf("trials %v", outcomes)
		}
	}
}

// What a killed lab has left of a trial is no evidence of the next attempt.
func TestContinueRemovesHalfTrials(t *testing.T) {
	f := write(t, t.TempDir(), "r", time.Now(), 2)
	half := filepath.Join(f.Trial(3), "crash.json")
	guest := f.VM(7)
	if err := errors.Join(os.MkdirAll(f.Trial(3), 0o755), os.WriteFile(half, []byte("{}"), 0o644), os.MkdirAll(guest, 0o755)); err != nil {
		t.Fatal(err)
	}
	g, err := Resume(f.Dir(), func(Trial) {})
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	for _, v := range []Verification{{Checked: 2, Identical: 2}, {Checked: 3, Identical: 2, Diverged: []int{4}}} {
		if err := g.AddVerification(v); err != nil {
			t.Fatal(err)
		}
	}
	if err := g.Continue(Session{Lab: "next"}); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(f.Trial(3)); !errors.Is(err, os.ErrNotExist) {
		t.Error("a half trial's folder is still there")
	}
	if _, err := os.Stat(f.Trial(2)); err != nil {
		t.Error("a finished trial has lost its evidence")
	}
	run, err := ReadRun(f.Dir())
	if err != nil || len(run.Sessions) != 1 || run.Sessions[0].FirstVM != 8 {
		t.Errorf("sessions %+v (%v)", run.Sessions, err)
	}
	if v := run.Verification; v == nil || v.Checked != 5 || v.Identical != 4 || len(v.Diverged) != 1 {
		t.Errorf("sessions have checked %+v", v)
	}
}

func TestDamageIsNamed(t *testing.T) {
	for text, want := range map[string]string{
		`{"trial":1,"cell":0,"outcome":"pass"}` + "\n{\n":                                               ":2: ",
		`{"trial":1,"cell":1,"outcome":"pass"}` + "\n":                                                  ":1: cell 1 of 1",
		`{"trial":10,"cell":0,"outcome":"pass"}` + "\n":                                                 ":1: trial 10 of 9",
		`{"trial":1,"cell":0,"outcome":"pass"}` + "\n" + `{"trial":1,"cell":0,"outcome":"hang"}` + "\n": ":2: trial 1 is there twice",
		`{"trial":1,"cell":0}` + "\n":                                                                   ":1: trial 1 has no outcome",
	} {
		_, err := Open(journalOf(t, text), func(Trial) {})
		var damage *DamageError
		if !errors.As(err, &damage) || !bytes.Contains([]byte(err.Error()), []byte(want)) {
			t.Errorf("%q: got %v, want %s", text, err, want)
		}
	}
}

// journalOf makes a run of one cell and nine trials with that trials.jsonl.
func journalOf(t *testing.T, text string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range map[string]string{runFile: `{"id":"x","trials":9,"cells":[{"index":0}],"commands":[{}],"kernels":[{}]}`, trialsFile: text} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}
