package cli

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ghostlab/lab/labtest"
)

// racing is a run of two vCPUs, as short as can be.
func racing(t *testing.T, runs string, more ...string) []string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "m.yaml")
	text := "scenario: ghost-map\ntrials: 2\nisolation: process\naxes: {gomaxprocs: 2, vcpus: 2}\n"
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return append([]string{"run", file, "--runs", runs}, more...)
}

// bareQEMU is one that was built without plugins.
func bareQEMU(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "qemu")
	script := `#!/bin/sh
case "$*" in *-plugin*) echo "qemu: -plugin $2: plugin interface not enabled in this build" >&2; exit 1 ;; esac
exec qemu-system-aarch64 "$@"
`
	if err := os.WriteFile(path, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

// forgetLast takes a run's last trial away and returns the run's folder.
func forgetLast(t *testing.T, runs string) string {
	t.Helper()
	files, _ := filepath.Glob(filepath.Join(runs, "*", "trials.jsonl"))
	if len(files) != 1 {
		t.Fatalf("%d runs", len(files))
	}
	text, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	last := bytes.LastIndexByte(bytes.TrimSuffix(text, []byte("\n")), '\n')
	if err := os.WriteFile(files[0], text[:last+1], 0o644); err != nil {
		t.Fatal(err)
	}
	return filepath.Dir(files[0])
}

func TestRunsSayWhetherArmsMemoryOrderIsKept(t *testing.T) {
	labtest.Kernel(t)
	runs := t.TempDir()
	code, stdout, stderr := lab(t, racing(t, runs, "-v")...)
	if code != exitOK || !strings.Contains(stdout, "\nmemory  order ") || strings.Contains(stdout, "no fence") {
		t.Fatalf("exit code %d, stdout\n%s\nstderr\n%s", code, stdout, stderr)
	}
	if !strings.Contains(stderr, " -plugin file=") {
		t.Errorf("-v shows another machine:\n%s", stderr)
	}
	// The rest with the same fence, also by a self-test out of the cache.
	forgetLast(t, runs)
	code, stdout, stderr = lab(t, "run", "--resume", "--runs", runs)
	if code != exitOK || !strings.Contains(stdout, "\nmemory  order ") {
		t.Errorf("exit code %d, stdout\n%s\nstderr\n%s", code, stdout, stderr)
	}
	// But not without.
	forgetLast(t, runs)
	code, _, stderr = lab(t, "run", "--resume", "--runs", runs, "--qemu", bareQEMU(t))
	if code != exitUsage || !strings.Contains(stderr, "memory order: fence ") || !strings.Contains(stderr, "-> no fence after store-release") {
		t.Errorf("exit code %d, stderr\n%s", code, stderr)
	}
}

func TestRunsGoOnWhereQEMUTakesNoPlugins(t *testing.T) {
	labtest.Kernel(t)
	runs := t.TempDir()
	code, stdout, stderr := lab(t, racing(t, runs, "--qemu", bareQEMU(t))...)
	if code != exitOK {
		t.Fatalf("exit code %d, stderr\n%s", code, stderr)
	}
	for _, want := range []string{"\nmemory  order NOT as Arm's: no fence after store-release: this QEMU takes no plugins", "may be the emulator's"} {
		if !strings.Contains(stdout, want) {
			t.Errorf("stdout lacks %q:\n%s", want, stdout)
		}
	}
	if !strings.Contains(stderr, "memory order NOT as Arm's") {
		t.Errorf("stderr\n%s", stderr)
	}
}

func TestDeterministicRunsHaveNoMemoryOrderToSpeakOf(t *testing.T) {
	labtest.Kernel(t)
	runs := t.TempDir()
	code, stdout, stderr := lab(t, racing(t, runs, "-v", "--engine", "deterministic")...)
	if code != exitOK || strings.Contains(stdout+stderr, "memory  order") || strings.Contains(stderr, "-plugin") {
		t.Errorf("exit code %d, stdout\n%s\nstderr\n%s", code, stdout, stderr)
	}
}
