package journal

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"ghostlab/lab/crash"
)

// What is written to a file without a name is lost, and must not count as kept.
func TestFolderThatIsGone(t *testing.T) {
	for name, meddle := range map[string]func(t *testing.T, dir string) error{
		"removed": func(_ *testing.T, dir string) error { return os.RemoveAll(dir) },
		"renamed": func(_ *testing.T, dir string) error { return os.Rename(dir, dir+"-old") },
		"replaced": func(t *testing.T, dir string) error {
			other := write(t, t.TempDir(), "r", time.Now(), 1)
			return errors.Join(os.Rename(dir, dir+"-old"), os.Rename(other.Dir(), dir))
		},
		"log removed": func(_ *testing.T, dir string) error { return os.Remove(filepath.Join(dir, trialsFile)) },
		"file in its place": func(_ *testing.T, dir string) error {
			return errors.Join(os.RemoveAll(dir), os.WriteFile(dir, nil, 0o600))
		},
	} {
		t.Run(name, func(t *testing.T) {
			f, err := Create(t.TempDir(), planned(Run{ID: "r", Started: time.Now(), Trials: 9}, 1))
			if err != nil {
				t.Fatal(err)
			}
			if err := f.Append(Trial{N: 1, Outcome: crash.Pass}, nil); err != nil {
				t.Fatal(err)
			}
			if err := meddle(t, f.Dir()); err != nil {
				t.Fatal(err)
			}
			for what, err := range map[string]error{
				"append":       f.Append(Trial{N: 2, Outcome: crash.Crash}, Evidence{"console.log": []byte("out")}),
				"verification": f.AddVerification(Verification{}),
				"again":        f.KeepAgain(1, Trial{N: 1}, nil),
				"close":        f.Close(),
			} {
				var lost *WriteError
				var gone *GoneError
				if !errors.As(err, &lost) || !errors.As(err, &gone) || gone.Dir != f.Dir() || gone.Hint() == "" {
					t.Errorf("%s: %v", what, err)
				}
			}
			if _, err := os.Stat(f.Trial(2)); err == nil {
				t.Error("evidence was written to a folder that is not the run's")
			}
		})
	}
}

// Between the look and the write the folder can go too.
func TestFolderThatGoesMeanwhile(t *testing.T) {
	f, err := Create(t.TempDir(), planned(Run{ID: "r", Started: time.Now(), Trials: 9}, 1))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := os.RemoveAll(f.Dir()); err != nil {
		t.Fatal(err)
	}
	if err := f.write([]byte("{}\n")); !errors.As(err, new(*GoneError)) {
		t.Errorf("a line went to a file without a name: %v", err)
	}
}
