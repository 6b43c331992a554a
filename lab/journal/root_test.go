package journal

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"ghostlab/lab/crash"
)

// elsewhere is a folder with files that no run may touch.
func elsewhere(t *testing.T) (dir string, untouched func()) {
	t.Helper()
	dir = t.TempDir()
	files := []string{"3/precious", "9/precious", "trials.jsonl", "log", "record.json", "explain.json"}
	for _, name := range files {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte("precious"), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	return dir, func() {
		t.Helper()
		found := 0
		filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
			if err == nil && !d.IsDir() {
				found++
				if text, _ := os.ReadFile(path); string(text) != "precious" {
					t.Errorf("%s now holds %q", path, text)
				}
			}
			return err
		})
		if found != len(files) {
			t.Errorf("%d files, want %d", found, len(files))
		}
	}
}

// A link in a run's folder leads lab nowhere: it writes, cuts and deletes nothing there.
func TestLinksInARunAreNotFollowed(t *testing.T) {
	home(t)
	log := filepath.Join(t.TempDir(), "log")
	if err := os.WriteFile(log, []byte("log"), 0o644); err != nil {
		t.Fatal(err)
	}
	resume := func(dir string) error {
		f, err := Resume(dir, nil)
		if err != nil {
			return err
		}
		defer f.Close()
		if err := f.Continue(Session{}); err != nil {
			return err
		}
		return f.Append(Trial{N: 3, Outcome: crash.Pass}, Evidence{"console.log": []byte("out")})
	}
	record := func(dir string) error { _, err := KeepRecord(dir, 1, Record{}, log); return err }
	for _, c := range []struct {
		what, link, to string
		do             func(dir string) error
	}{
		{"trials", "trials", ".", resume},
		{"vms", "vms", ".", resume},
		{"the log of trials", "trials.jsonl", "trials.jsonl", resume},
		{"a trial without a result", "trials/3", "3", resume},
		{"a trial's folder", "trials/1", "3", func(dir string) error { return KeepExplanation(dir, 1, []byte("{}")) }},
		{"a trial's explanation", "trials/1/explain.json", "explain.json", func(dir string) error { return KeepExplanation(dir, 1, []byte("{}")) }},
		{"a record", "trials/1/record", ".", record},
		{"a record's log", "trials/1/record/log", "log", record},
		{"another execution", "trials/1/again", "3", func(dir string) error {
			f, err := Resume(dir, nil)
			if err != nil {
				return err
			}
			defer f.Close()
			return f.KeepAgain(1, Trial{}, Evidence{"precious": []byte("out")})
		}},
	} {
		t.Run(c.what, func(t *testing.T) {
			away, untouched := elsewhere(t)
			dir := write(t, t.TempDir(), "r", time.Now(), 3).Dir()
			// Two of the three trials have a result.
			text, err := os.ReadFile(filepath.Join(dir, trialsFile))
			if err != nil {
				t.Fatal(err)
			}
			cut := strings.LastIndex(strings.TrimSuffix(string(text), "\n"), "\n") + 1
			link := filepath.Join(dir, c.link)
			if err := errors.Join(
				os.Truncate(filepath.Join(dir, trialsFile), int64(cut)),
				os.RemoveAll(link), os.MkdirAll(filepath.Dir(link), 0o755), os.Symlink(filepath.Join(away, c.to), link),
			); err != nil {
				t.Fatal(err)
			}
			err = c.do(dir)
			untouched()
			var plain *PlainError
			if err != nil && (!errors.As(err, &plain) || !strings.Contains(err.Error(), "got a symbolic link")) {
				t.Errorf("got %v", err)
			}
			if info, lerr := os.Lstat(link); err == nil && lerr == nil && info.Mode()&os.ModeSymlink != 0 {
				t.Error("no error, and the link is still there")
			}
		})
	}
}

// What never ends is not read: a pipe, a device.
func TestPipesInARunAreNotRead(t *testing.T) {
	for _, name := range []string{runFile, trialsFile, MatrixFile} {
		dir := write(t, t.TempDir(), "r", time.Now(), 1).Dir()
		path := filepath.Join(dir, name)
		if err := errors.Join(os.RemoveAll(path), syscall.Mkfifo(path, 0o644)); err != nil {
			t.Fatal(err)
		}
		_, errOpen := Open(dir, func(Trial) {})
		_, errMatrix := ReadMatrix(dir)
		f, errResume := Resume(dir, nil)
		if errResume == nil {
			f.Close()
		}
		if Running(dir) {
			t.Errorf("%s: somebody writes the run", name)
		}
		var plain *PlainError
		if err := errors.Join(errOpen, errMatrix, errResume); !errors.As(err, &plain) || !strings.Contains(err.Error(), "want a file, got a pipe") {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// A file that is no lab's is not cut to whole lines.
func TestForeignTrialsAreNotCut(t *testing.T) {
	dir := write(t, t.TempDir(), "r", time.Now(), 1).Dir()
	path := filepath.Join(dir, trialsFile)
	const text = "a letter\nof mine"
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Resume(dir, nil); err == nil {
		t.Error("resumed")
	}
	if now, _ := os.ReadFile(path); string(now) != text {
		t.Errorf("now %q", now)
	}
}
