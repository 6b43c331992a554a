package cli

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"ghostlab/lab/labtest"
)

// smallDisk is a file system of that size, as mount takes it.
func smallDisk(t *testing.T, size string) string {
	t.Helper()
	dir := t.TempDir()
	err := syscall.Mount("none", dir, "tmpfs", 0, "size="+size)
	if errors.Is(err, syscall.EPERM) {
		t.Skip("only root can mount a small disk")
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Unmount(dir, syscall.MNT_DETACH) })
	return dir
}

func TestFullDiskIsTheLabsTrouble(t *testing.T) {
	source := t.TempDir()
	if err := os.WriteFile(filepath.Join(source, "Makefile"), []byte("VERSION = 5\nPATCHLEVEL = 15\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		size string
		args []string
		want string
	}{
		"sources of init":  {"16k", []string{"build", "initramfs"}, "no space left on device"},
		"compiled init":    {"512k", []string{"build", "initramfs"}, "no space left on device"},
		"room for a build": {"512k", []string{"build", "kernel", "--kernel-source", source}, "has 0 MiB free, want 3072 MiB"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := smallDisk(t, c.size)
			code, _, stderr := lab(t, append(c.args, "--cache", dir)...)
			if code != exitInfra {
				t.Errorf("exit code %d, want %d", code, exitInfra)
			}
			if !strings.Contains(stderr, c.want) || !strings.Contains(stderr, "\nhint: free some space") {
				t.Errorf("want %q and a hint, got\n%s", c.want, stderr)
			}
			if left, _ := filepath.Glob(filepath.Join(dir, "*", "*.partial")); left != nil {
				t.Errorf("left on the disk: %v", left)
			}
		})
	}
}

func TestDiskFullBeforeARun(t *testing.T) {
	labtest.Kernel(t) // built beforehand
	disk := smallDisk(t, "16k")
	if err := os.WriteFile(filepath.Join(disk, "full"), make([]byte, 16<<10), 0o644); err != nil {
		t.Fatal(err)
	}
	code, stdout, stderr := lab(t, "run", "../../scenarios/ghost-map/matrix.yaml", "--runs", filepath.Join(disk, "runs"))
	if code != exitInfra || stdout != "" || !strings.Contains(stderr, disk) || !strings.Contains(stderr, "\nhint: free some space") {
		t.Errorf("exit code %d, stdout %q, stderr\n%s", code, stdout, stderr)
	}
}

func TestDiskFullDuringARunKeepsWhatIsDone(t *testing.T) {
	labtest.Kernel(t)
	runs := filepath.Join(smallDisk(t, "600k"), "runs")
	code, stdout, stderr := lab(t, "run", "../../scenarios/ghost-map/matrix.yaml", "--runs", runs)
	if code != exitInfra || !strings.Contains(stderr, "no space left on device") || !strings.Contains(stderr, "\nhint: free some space") {
		t.Errorf("exit code %d, want %d; stderr\n%s", code, exitInfra, stderr)
	}
	done := finished(t, runs)
	if done == 0 || done >= 600 {
		t.Fatalf("%d trials finished, want some of 600", done)
	}
	if n := results(t, runs); n != done {
		t.Errorf("%d trials finished, show counts %d", done, n)
	}
	if !strings.Contains(stdout, "gomaxprocs  mmap_align  ") || !strings.Contains(stdout, "trials have not run") {
		t.Errorf("no table:\n%s", stdout)
	}
}

// With space again the run goes on, and no trial is there by half.
func TestResumeAfterDiskFull(t *testing.T) {
	labtest.Kernel(t)
	disk := smallDisk(t, "600k")
	runs := filepath.Join(disk, "runs")
	if code, _, stderr := lab(t, "run", eighteen(t), "--runs", runs); code != exitInfra || !strings.Contains(stderr, "lab run --resume "+runs) {
		t.Fatalf("exit code %d, want %d and the command that goes on\n%s", code, exitInfra, stderr)
	}
	if err := syscall.Mount("none", disk, "tmpfs", syscall.MS_REMOUNT, "size=64m"); err != nil {
		t.Fatal(err)
	}
	if code, _, stderr := lab(t, "run", "--resume", "--runs", runs); code != exitOK {
		t.Fatalf("exit code %d\n%s", code, stderr)
	}
	wantOnce(t, runs, 18)
}
