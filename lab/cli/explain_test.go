package cli

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"ghostlab/gdb"
	"ghostlab/gdb/explain"
	"ghostlab/lab/crash"
	"ghostlab/lab/journal"
	"ghostlab/lab/labtest"
	"ghostlab/lab/runner"
)

// crashes runs a matrix and returns the trials that failed or did not end, at most some
// of each cell.
func crashes(t *testing.T, runs, text string, most int) (trials []journal.Trial) {
	t.Helper()
	labtest.Kernel(t)
	file := filepath.Join(t.TempDir(), "matrix.yaml")
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	if code, _, stderr := lab(t, "run", file, "--scenarios", "../../scenarios", "--runs", runs); code != exitOK {
		t.Fatalf("exit code %d\n%s", code, stderr)
	}
	run, err := journal.Find(runs, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[int]int{}
	_, err = journal.Open(run, func(tr journal.Trial) {
		if (runner.Failed(tr) || tr.Outcome == crash.Hang) && seen[tr.Cell] < most {
			seen[tr.Cell]++
			trials = append(trials, tr)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return trials
}

// explained runs lab explain on a trial and returns what it found.
func explained(t *testing.T, runs string, n int) *explain.Explanation {
	t.Helper()
	e, _ := explainedText(t, runs, n)
	return e
}

// explainedText is explained, with the text for people.
func explainedText(t *testing.T, runs string, n int) (*explain.Explanation, string) {
	t.Helper()
	code, stdout, stderr := lab(t, "explain", strconv.Itoa(n), "--scenarios", "../../scenarios", "--runs", runs)
	kept, err := filepath.Glob(filepath.Join(runs, "*", "trials", strconv.Itoa(n), journal.ExplanationFile))
	if code != exitOK || err != nil || len(kept) != 1 {
		t.Fatalf("trial %d: exit code %d, %v, kept %v\n%s%s", n, code, err, kept, stdout, stderr)
	}
	text, err := os.ReadFile(kept[0])
	e := &explain.Explanation{}
	if err == nil {
		err = json.Unmarshal(text, e)
	}
	if err != nil {
		t.Fatal(err)
	}
	return e, stdout
}

func TestExplainFindsTheOtherWriterOfAMap(t *testing.T) {
	runs := t.TempDir()
	trials := crashes(t, runs, "scenario: ghost-map\ntrials: 4\nseed: 1\nengine: deterministic\nshift: 6\n"+
		"axes:\n  key_space: [growing]\n  vcpus: [1]\n  go: [1.21.6, 1.24.6]\n", 1)
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
			if at, line := placeOf(t, s, "ghost-map", "../../scenarios/ghost-map/repro"); at != "main.writeGrowing" || !strings.Contains(line, "] = uint64(i)") {
				t.Errorf("trial %d: goroutine %d in %s, %q", tr.N, s.ID, at, line)
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

// manyTrials, as an environment variable, is the number of trials of each cell in
// TestExplainManyMaps: 3 make 54 trials and take some ten minutes.
const manyTrials = "EXPLAIN_TRIALS"

// All ways to use a map at once, on the old maps and on the new.
func TestExplainManyMaps(t *testing.T) {
	each, err := strconv.Atoi(os.Getenv(manyTrials))
	if err != nil {
		t.Skip("set " + manyTrials + " to 3 or so")
	}
	runs := t.TempDir()
	trials := crashes(t, runs, fmt.Sprintf("scenario: ghost-map\ntrials: %d\nseed: 7\nengine: deterministic\nshift: 7\naxes:\n  vcpus: [1]\n"+
		"  key_space: [fixed, growing]\n  access: [write, read, iterate]\n  go: [1.21.6, 1.22.12, 1.24.6]\n", each), each)
	good, times := 0, []time.Duration{}
	for _, tr := range trials {
		began := time.Now()
		code, stdout, stderr := lab(t, "explain", strconv.Itoa(tr.N), "--json", "--scenarios", "../../scenarios", "--runs", runs)
		times = append(times, time.Since(began))
		e := &explain.Explanation{}
		if err := json.Unmarshal([]byte(stdout), e); err != nil || code != exitOK || e.Culprit == nil {
			t.Logf("trial %d, %s: exit code %d\n%s", tr.N, tr.Title, code, stderr)
			continue
		}
		victim, used := placeOf(t, e.Victim, "ghost-map", "../../scenarios/ghost-map/repro")
		_, wrote := placeOf(t, e.Culprit, "ghost-map", "../../scenarios/ghost-map/repro")
		if e.Victim.ID == e.Culprit.ID || !strings.HasSuffix(tr.Title, " in "+victim) ||
			!strings.Contains(used, "m[") && !strings.Contains(used, "range m") || !strings.Contains(wrote, "] = uint64(i)") {
			t.Logf("trial %d, %s: %q met %q", tr.N, tr.Title, used, wrote)
			continue
		}
		good++
	}
	slices.Sort(times)
	t.Logf("%d of %d, median %v", good, len(trials), times[len(times)/2])
	if good*50 < len(trials)*48 {
		t.Errorf("%d of %d are explained, want 48 of 50", good, len(trials))
	}
}

// placeOf is the function and the source line that a side of a crash is laid at.
func placeOf(t *testing.T, s *explain.Side, module, dir string) (function, line string) {
	t.Helper()
	i := explain.Sources{Folders: map[string]string{module: dir}}.Place(s.Stack)
	if i < 0 {
		return "", ""
	}
	f := s.Stack[i]
	text, err := os.ReadFile(filepath.Join(dir, strings.TrimPrefix(f.File, module+"/")))
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(text), "\n")
	if f.Line < 1 || f.Line > len(lines) {
		return f.Func, ""
	}
	return f.Func, lines[f.Line-1]
}

func TestExplainFindsTheWriterOfABadPointer(t *testing.T) {
	dir, err := filepath.Abs("testdata/crashes")
	if err != nil {
		t.Fatal(err)
	}
	runs := t.TempDir()
	trials := crashes(t, runs, "scenario: "+dir+"\ntrials: 1\nengine: deterministic\nshift: 6\n"+
		"axes:\n  crash: [nil, none]\n  vcpus: [1]\n  go: [1.21.6]\n", 1)
	if len(trials) != 1 {
		t.Fatal("no crash")
	}
	passed := strconv.Itoa(3 - trials[0].N)
	if code, _, stderr := lab(t, "explain", passed, "--runs", runs); code != exitUsage || !strings.Contains(stderr, "ended with pass: it has no crash\nhint: ") {
		t.Errorf("a trial that passed: exit code %d\n%s", code, stderr)
	}
	e, text := explainedText(t, runs, trials[0].N)
	if e.Culprit == nil || e.Victim.ID == e.Culprit.ID || e.Memory == nil || e.Memory.Value != "0x0" {
		t.Fatalf("%+v", e)
	}
	// The scenario was named by its path.
	for _, line := range []string{"return pad(n.value) // the victim", "shared = nil // the culprit"} {
		if !strings.Contains(text, line) {
			t.Errorf("the text does not show %q:\n%s", line, text)
		}
	}
	for who, s := range map[string]*explain.Side{"victim": e.Victim, "culprit": e.Culprit} {
		if at, line := placeOf(t, s, "example.com/crashes", dir); !strings.Contains(line, "// the "+who) {
			t.Errorf("the %s is in %s, %q", who, at, line)
		}
	}
	if loaded := e.Memory.Loaded; loaded.Func != "main.head" {
		t.Errorf("the pointer was read in %+v", loaded)
	}
	if _, err := gdb.Find(); err == nil {
		gdbScript(t, runs, trials[0].N)
	}
}

// The kernel did it, for a goroutine.
func TestExplainFindsSystemCalls(t *testing.T) {
	dir, err := filepath.Abs("testdata/crashes")
	if err != nil {
		t.Fatal(err)
	}
	runs := t.TempDir()
	trials := crashes(t, runs, "scenario: "+dir+"\ntrials: 1\nengine: deterministic\n"+
		"axes:\n  crash: [unmapped, read]\n  vcpus: [1]\n  go: [1.24.6]\n", 1)
	if len(trials) != 2 {
		t.Fatalf("%d of 2 cells crashed", len(trials))
	}
	for _, tr := range trials {
		e := explained(t, runs, tr.N)
		if e.Culprit == nil || e.Victim.ID == e.Culprit.ID || !strings.Contains(e.Culprit.Did, "munmap(0x") && !strings.Contains(e.Culprit.Did, "called read, ") {
			t.Errorf("trial %d: %+v", tr.N, e)
			continue
		}
		for who, s := range map[string]*explain.Side{"victim": e.Victim, "culprit": e.Culprit} {
			if at, line := placeOf(t, s, "example.com/crashes", dir); !strings.Contains(line, "// the "+who) {
				t.Errorf("trial %d: the %s is in %s, %q", tr.N, who, at, line)
			}
		}
	}
}

// What the runtime, its libraries or the program itself find wrong is laid at who
// last wrote what they looked at.
func TestExplainFindsWhoWroteWhatACheckMet(t *testing.T) {
	dir, err := filepath.Abs("testdata/crashes")
	if err != nil {
		t.Fatal(err)
	}
	names := []string{"r.items.len", "internal/sync.Mutex.state", "pair[0]", "pair[1]"}
	runs := t.TempDir()
	// With seed 1, 2 or 5 the last write to the pair is not found within the 3 minutes that
	// an explanation has.
	trials := crashes(t, runs, "scenario: "+dir+"\ntrials: 1\nseed: 4\nengine: deterministic\nshift: 7\n"+
		"axes:\n  crash: [index, unlock, invariant, deadlock]\n  vcpus: [1]\n  go: [1.24.6]\n", 1)
	if len(trials) != 4 {
		t.Fatalf("%d of 4 crashed", len(trials))
	}
	for _, tr := range trials {
		e := explained(t, runs, tr.N)
		if strings.Contains(tr.Title, "deadlock") {
			standstill(t, e, dir)
			continue
		}
		if e.Culprit == nil || e.Victim.ID == e.Culprit.ID || e.Apart <= 0 || len(e.Schedule) == 0 {
			t.Errorf("%s: %+v", tr.Title, e)
			continue
		}
		for who, s := range map[string]*explain.Side{"victim": e.Victim, "culprit": e.Culprit} {
			if at, line := placeOf(t, s, "example.com/crashes", dir); !strings.Contains(line, "the "+who) {
				t.Errorf("%s: the %s is in %s, %q", tr.Title, who, at, line)
			}
		}
		i := slices.IndexFunc(e.Words, func(w explain.Word) bool {
			return w.Writer != nil && w.Writer.At == e.Culprit.At
		})
		if i < 0 || !slices.Contains(names, e.Words[i].Name) {
			t.Errorf("%s: the words are %+v", tr.Title, e.Words)
		}
	}
}

// The collector finds a free object that something points to.
func TestExplainFindsWhoKeptAFreeObject(t *testing.T) {
	dir, err := filepath.Abs("testdata/crashes")
	if err != nil {
		t.Fatal(err)
	}
	runs := t.TempDir()
	trials := crashes(t, runs, "scenario: "+dir+"\ntrials: 1\nengine: deterministic\nshift: 7\n"+
		"axes:\n  crash: [zombie]\n  vcpus: [1]\n  go: [1.24.6]\n", 1)
	if len(trials) != 1 || !strings.HasPrefix(trials[0].Title, "fatal error: found pointer to free object") {
		t.Fatalf("%+v", trials)
	}
	e := explained(t, runs, trials[0].N)
	if e.Culprit == nil || !strings.Contains(e.Victim.Did, "found the free object of 64 bytes at 0x") {
		t.Fatalf("%+v", e)
	}
	if at, line := placeOf(t, e.Culprit, "example.com/crashes", dir); !strings.Contains(line, "// the culprit") {
		t.Errorf("the culprit is in %s, %q", at, line)
	}
}

// The unwinder met a goroutine that had popped half of its frame: golang/go#73259.
func TestExplainShowsAHalfRestoredStackPointer(t *testing.T) {
	runs := t.TempDir()
	trials := crashes(t, runs, "scenario: split-sp\ntrials: 2\nengine: deterministic\naxes:\n  vcpus: [1]\n  go: [1.21.6]\n", 1)
	if len(trials) != 1 {
		t.Fatal("no crash")
	}
	e := explained(t, runs, trials[0].N)
	if e.Culprit == nil || e.Victim.ID == e.Culprit.ID || !strings.Contains(e.Culprit.Did, "stack pointer half restored") || !strings.Contains(e.Culprit.Did, "`add sp, sp, #") {
		t.Fatalf("%+v", e)
	}
	if at, line := placeOf(t, e.Culprit, "split-sp", "../../scenarios/split-sp/repro"); at != "main.bigFrame" || line != "}" {
		t.Errorf("goroutine %d was stopped in %s, %q", e.Culprit.ID, at, line)
	}
	unwinders := 0
	for _, f := range e.Victim.Stack {
		if strings.HasPrefix(f.Func, "runtime.(*unwinder).") {
			unwinders++
		}
	}
	if unwinders == 0 || len(e.Notes) == 0 || !strings.Contains(e.Notes[0], "the unwinder's table says") {
		t.Errorf("%d unwinders, notes %q", unwinders, e.Notes)
	}
}

// A gdb script stands at the crash and goes back from there.
func gdbScript(t *testing.T, runs string, n int) {
	t.Helper()
	script := filepath.Join(t.TempDir(), "questions.gdb")
	text := "backtrace\nhbreak main.sum\nreverse-continue\nprintf \"n is %ld\\n\", $x0\nquit 7\n"
	if err := os.WriteFile(script, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	code, stdout, stderr := lab(t, "replay", strconv.Itoa(n), "--gdb-script", script, "--batch", "--scenarios", "../../scenarios", "--runs", runs)
	if code != 7 || !strings.Contains(stdout, "in main.vanish") || !strings.Contains(stdout, "\nn is 0\n") {
		t.Errorf("exit code %d\n%s%s", code, stdout, stderr)
	}
}
