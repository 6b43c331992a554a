package cli

import (
	"bytes"
	"context"
	"errors"
	"os"
	osexec "os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"ghostlab/lab/journal"
)

// A run whose folder is removed ends with its next result, and what it lost is said,
// also after Ctrl-C.
func TestRunsFolderRemovedDuringARun(t *testing.T) {
	program := binary(t)
	for name, interrupt := range map[string]bool{"alone": false, "with Ctrl-C": true} {
		t.Run(name, func(t *testing.T) {
			runs := filepath.Join(t.TempDir(), "runs")
			var stdout, stderr bytes.Buffer
			cmd := osexec.Command(program, "run", "../../scenarios/ghost-map/matrix.yaml", "--runs", runs, "-j", "1")
			cmd.Stdout, cmd.Stderr = &stdout, &stderr
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			defer cmd.Process.Kill()
			awaitFinished(t, runs, 3)
			if err := os.Rename(runs, runs+"-old"); err != nil {
				t.Fatal(err)
			}
			if interrupt {
				cmd.Process.Signal(syscall.SIGINT)
			}
			start := time.Now()
			cmd.Wait()
			done := finished(t, runs+"-old")
			if code := cmd.ProcessState.ExitCode(); code != exitInfra || time.Since(start) > 20*time.Second || done > 20 {
				t.Errorf("exit code %d after %v with %d results", code, time.Since(start), done)
			}
			said := stderr.String()
			if !strings.Contains(said, "is not kept: the run's folder "+runs) || !strings.Contains(said, "\nhint: a folder that was renamed") || strings.Contains(said, "are kept") {
				t.Errorf("stderr:\n%s", said)
			}
			if stdout.Len() > 0 {
				t.Errorf("there is no result, and lab prints\n%s", stdout.String())
			}
		})
	}
}

// An interruption does not hide what could not be written.
func TestInterruptedAndNotKept(t *testing.T) {
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("testdata/runs/20261124-000000-ghost-map")); err != nil {
		t.Fatal(err)
	}
	lost := &journal.WriteError{What: "run.json", Err: syscall.ENOSPC}
	for name, c := range map[string]struct {
		err  error
		code int
		kept bool
	}{
		"interrupted":              {context.Canceled, exitInterrupted, true},
		"interrupted and not kept": {errors.Join(context.Canceled, lost), exitInfra, false},
		"not kept, as it closed":   {errors.Join(lost, context.Canceled), exitInfra, false},
	} {
		var stdout, stderr bytes.Buffer
		a := &app{stdout: &stdout, stderr: &stderr}
		err := a.conclude(dir, false, c.err)
		if code := exitCode(err); code != c.code || strings.Contains(stderr.String(), "are kept") != c.kept {
			t.Errorf("%s: exit code %d, want %d; stderr\n%s", name, code, c.code, stderr.String())
		}
		if !c.kept && !strings.Contains(err.Error(), "run.json is not kept: no space left on device") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
