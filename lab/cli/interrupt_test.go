package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	osexec "os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"golang.org/x/term"

	"ghostlab/lab/labtest"
)

// bar matches any part of a progress bar.
var bar = regexp.MustCompile(`\[[=>-]+\]|[0-9]+ % [0-9]+/|[0-9]+/[0-9]+ trials`)

func TestCtrlCKeepsWhatIsDone(t *testing.T) {
	program, runs := binary(t), t.TempDir()
	screen := labtest.NewScreen(t, 160, 40)
	before, err := term.GetState(int(screen.TTY.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	cmd := osexec.Command(program, "run", "../../scenarios/ghost-map/matrix.yaml", "--runs", runs)
	screen.Start(t, cmd)
	defer cmd.Process.Kill()
	awaitFinished(t, runs, 5)
	screen.Await(t, "progress bar", bar.MatchString)
	guests := guestsOf(cmd.Process.Pid)
	if len(guests) == 0 {
		t.Error("no guest was running")
	}
	screen.Type(t, "\x03")
	cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != exitInterrupted {
		t.Errorf("exit code %d, want %d", code, exitInterrupted)
	}
	for _, pid := range guests {
		if alive(pid) {
			t.Errorf("QEMU %d outlived lab", pid)
		}
	}
	after, err := term.GetState(int(screen.TTY.Fd()))
	if err != nil || !reflect.DeepEqual(before, after) {
		t.Errorf("the terminal's modes are changed (%v)", err)
	}
	done := finished(t, runs)
	if n := results(t, runs); n != done {
		t.Errorf("%d trials finished, show counts %d", done, n)
	}
	if page, _ := filepath.Glob(filepath.Join(runs, "*", "report.html")); len(page) != 1 {
		t.Error("an interrupted run has no report.html")
	}
	seen := screen.Last()
	for _, want := range []string{
		"\ngomaxprocs  mmap_align  ",
		fmt.Sprintf("\n%d of 600 trials have not run", 600-done),
		fmt.Sprintf("\nlab: interrupted; %d finished trials are kept in %s", done, runs),
	} {
		if !strings.Contains(seen, want) {
			t.Errorf("the screen lacks %q", want)
		}
	}
	if bar.MatchString(seen) {
		t.Error("bars are left on the screen")
	}
	if t.Failed() {
		t.Logf("the screen:\n%s", seen)
	}
}

// Ctrl-C ends lab's children too; what they say then is not what happened.
func TestCtrlCBeforeTheFirstGuest(t *testing.T) {
	dir := t.TempDir()
	program, err := built()
	if err != nil {
		t.Fatal(err)
	}
	emulator := filepath.Join(dir, "qemu")
	script := "#!/bin/sh\ntrap 'kill $!; sleep 0.3; exit 1' INT\nsleep 60 >/dev/null 2>&1 &\necho asked >/dev/tty\nwait\n"
	if err := os.WriteFile(emulator, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	screen := labtest.NewScreen(t, 160, 40)
	cmd := osexec.Command(program, "run", "../../scenarios/ghost-map/matrix.yaml", "--runs", dir, "--cache", dir, "--qemu", emulator)
	screen.Start(t, cmd)
	defer cmd.Process.Kill()
	screen.Await(t, "word of the emulator's", func(text string) bool { return strings.Contains(text, "asked") })
	screen.Type(t, "\x03")
	cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != exitInterrupted {
		t.Errorf("exit code %d, want %d", code, exitInterrupted)
	}
	if seen := screen.Last(); !strings.HasSuffix(seen, "lab: interrupted") {
		t.Errorf("the screen:\n%s", seen)
	}
}

// awaitFinished waits until the one run there has that many trials.
func awaitFinished(t *testing.T, runs string, n int) {
	t.Helper()
	for end := time.Now().Add(time.Minute); finished(t, runs) < n; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%d trials finished within a minute, want %d", finished(t, runs), n)
		}
	}
}

// finished is the number of whole lines in the one run's trials.jsonl.
func finished(t *testing.T, runs string) int {
	t.Helper()
	files, _ := filepath.Glob(filepath.Join(runs, "*", "trials.jsonl"))
	if len(files) != 1 {
		return 0
	}
	b, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Count(b, []byte("\n"))
}

// results is the number of trials that `lab show` counts in the newest run.
func results(t *testing.T, runs string) int {
	t.Helper()
	code, out, stderr := lab(t, "show", "--json", "--runs", runs)
	if code != exitOK {
		t.Fatalf("show: exit code %d\n%s", code, stderr)
	}
	var doc struct{ Cells []struct{ N, Infra int } }
	if err := json.Unmarshal([]byte(out), &doc); err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, c := range doc.Cells {
		n += c.N + c.Infra
	}
	return n
}
