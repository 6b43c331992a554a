package vm

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"ghostlab/initramfs/wire"
)

// baseIn makes all folders of guests go to one of the test's, whatever its name.
func baseIn(t *testing.T) string {
	t.Helper()
	base := filepath.Join(t.TempDir(), "a [b]*")
	if err := os.Mkdir(base, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("TMPDIR", base)
	return base
}

func TestStaleFoldersGoAndLivingOnesStay(t *testing.T) {
	base := baseIn(t)
	stale, err := rundirIn([]string{base})
	if err != nil {
		t.Fatal(err)
	}
	stale.lock.Unlock() // as when its lab is killed
	done := make(chan struct{})
	var cleaners sync.WaitGroup
	for range 2 {
		cleaners.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
					CleanStale()
				}
			}
		})
	}
	for range 200 {
		r, err := rundirIn([]string{base})
		if err != nil {
			t.Error(err)
			break
		}
		if _, err := os.Stat(r.path); err != nil {
			t.Errorf("a living guest's folder: %v", err)
			break
		}
		r.remove()
	}
	close(done)
	cleaners.Wait()
	if left, err := os.ReadDir(base); len(left) > 0 {
		t.Errorf("left: %v, %v", left, err)
	}
}

func TestWhatIsNoGuestIsNotListed(t *testing.T) {
	base := baseIn(t)
	make := func(text string) *rundir {
		r, err := rundirIn([]string{base})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(r.remove)
		if err := os.WriteFile(r.file(liveFile), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return r
	}
	mine := make(`{"run": "mine"}`)
	make(`{"run": 7, "of": "another lab"}`)
	make(`no JSON`)
	// Another user's, which a link leads to, or which root may read.
	if err := os.Symlink(mine.path, filepath.Join(base, rundirPrefix+"link")); err != nil {
		t.Fatal(err)
	}
	if os.Getuid() == 0 {
		if err := os.Chown(make(`{"run": "theirs"}`).path, 1, 1); err != nil {
			t.Fatal(err)
		}
	}
	var names []string
	for _, g := range Guests() {
		if filepath.Dir(g.dir) == base {
			names = append(names, g.Name)
		}
	}
	if len(names) != 1 || names[0] != nameOf(mine.path) {
		t.Errorf("got %q, want %q only", names, nameOf(mine.path))
	}
}

// lateEnd is a context that ends just after the last look at Done.
type lateEnd struct {
	context.Context
	ended bool
}

func (c *lateEnd) Err() error {
	if c.ended {
		return context.Canceled
	}
	return c.Context.Err()
}

func TestGuestOfAnEndedContextIsClosed(t *testing.T) {
	cfg := config(t, "faults", wire.Trial{ID: 1})
	ctx := &lateEnd{Context: t.Context()}
	var folder string
	cfg.Paused = true
	cfg.Started = func(_, socket string) { folder, ctx.ended = filepath.Dir(socket), true }
	g, err := Prepare(ctx, cfg)
	if g != nil || err != context.Canceled {
		t.Errorf("got %v, %v", g, err)
	}
	if _, err := os.Stat(folder); !os.IsNotExist(err) {
		t.Errorf("%s is left: %v", folder, err)
	}
}
