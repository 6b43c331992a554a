package cli

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// A command line that is wrong leaves the events of the run before as they are.
func TestEventsOfAWrongCommandLine(t *testing.T) {
	file := filepath.Join(t.TempDir(), "events")
	if err := os.WriteFile(file, []byte("of an earlier run\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	matrix := "../../scenarios/ghost-map/matrix.yaml"
	for _, args := range [][]string{
		{"run", matrix, "--shard", "0/3"},
		{"run", matrix, "--verify", "200"},
		{"run", matrix, "--no-such-flag"},
		{"run", matrix, "another"},
		{"run", "no-such-matrix.yaml"},
		{"run", matrix, "--set", "trials=many"},
		{"hunt", "no-such-scenario"},
		{"show", "no-such-run"},
		{"replay", "1", "--times", "0"},
	} {
		code, _, stderr := lab(t, append(args, "--json-events", file, "--runs", t.TempDir())...)
		text, err := os.ReadFile(file)
		if code != exitUsage || err != nil || string(text) != "of an earlier run\n" {
			t.Errorf("%q: exit code %d, the file has %q; stderr\n%s", args, code, text, stderr)
		}
	}
	missing := filepath.Join(t.TempDir(), "events")
	if lab(t, "run", matrix, "--shard", "0/3", "--json-events", missing); exists(missing) {
		t.Error("a wrong command line made a file")
	}
	code, _, stderr := lab(t, "config", "--json-events", file)
	if text, err := os.ReadFile(file); code != exitOK || err != nil || !strings.HasPrefix(string(text), `{"time":`) || !strings.Contains(string(text), `"event":"end","code":0`) {
		t.Errorf("exit code %d, the file has %q (%v)\n%s", code, text, err, stderr)
	}
}

func exists(path string) bool { _, err := os.Stat(path); return err == nil }

// That events cannot be written is said before the work, not after it.
func TestEventsThatCannotBeWritten(t *testing.T) {
	dir := t.TempDir()
	for file, want := range map[string]string{
		dir: "is a directory", filepath.Join(dir, "none", "events"): "no such file",
	} {
		code, _, stderr := lab(t, "config", "--json-events", file)
		if code != exitUsage || !strings.Contains(stderr, "--json-events: open "+file+": "+want) {
			t.Errorf("%s: exit code %d, stderr\n%s", file, code, stderr)
		}
	}
}

// A pipe has one reader, which would go at its end.
func TestEventsToAPipe(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	read := make(chan string)
	go func() {
		text, err := os.ReadFile(pipe)
		if err != nil {
			t.Error(err)
		}
		read <- string(text)
	}()
	if code, _, stderr := lab(t, "config", "--json-events", pipe); code != exitOK {
		t.Fatalf("exit code %d\n%s", code, stderr)
	}
	if text := <-read; !strings.Contains(text, `"event":"end","code":0`) {
		t.Errorf("the reader of the pipe got %q", text)
	}
}
