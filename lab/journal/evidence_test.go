package journal

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"
)

// A run of somebody else's does not make lab read this host's files, nor wait for
// one that never ends.
func TestEvidenceStaysInTheRun(t *testing.T) {
	dir := write(t, t.TempDir(), "r", time.Now(), 3).Dir()
	elsewhere := t.TempDir()
	secret := filepath.Join(elsewhere, "console.log")
	if err := errors.Join(
		os.WriteFile(secret, []byte("secret"), 0o600),
		os.Symlink(secret, filepath.Join(TrialDir(dir, 1), "link")),
		syscall.Mkfifo(filepath.Join(TrialDir(dir, 1), "fifo"), 0o600),
		os.RemoveAll(TrialDir(dir, 2)), os.Symlink(elsewhere, TrialDir(dir, 2)),
	); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		n    int
		name string
		ok   bool
	}{{1, "console.log", true}, {1, "link", false}, {1, "fifo", false}, {2, "console.log", false}} {
		f, err := OpenEvidence(dir, c.n, c.name)
		if c.ok != (err == nil) {
			t.Errorf("%d/%s: %v", c.n, c.name, err)
		}
		f.Close()
	}
	if _, err := OpenEvidence(dir, 9, "console.log"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file that is not there: %v", err)
	}
	if ev, err := ReadEvidence(dir, 1); err != nil || len(ev) != 1 || string(ev["console.log"]) != "out" {
		t.Errorf("kept %q, %v", ev, err)
	}
	if ev, err := ReadEvidence(dir, 2); err == nil {
		t.Errorf("kept elsewhere: %q", ev)
	}
	if ev, err := ReadEvidence(dir, 9); err != nil || len(ev) != 0 {
		t.Errorf("kept of no trial: %q, %v", ev, err)
	}
	if got := TrialsWith(dir, "console.log"); !slices.Contains(got, 1) || !slices.Contains(got, 3) {
		t.Errorf("trials with a console: %v", got)
	}
}
