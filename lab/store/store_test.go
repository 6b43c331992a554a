package store

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func open(t *testing.T) (*Store, Key) {
	t.Helper()
	st, err := Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return st, NewHasher("test").Key()
}

func TestSeveralThatWantTheSameBuildItOnce(t *testing.T) {
	st, key := open(t)
	var builds atomic.Int32
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			dir, err := st.Ensure(t.Context(), "thing", key, func(_ context.Context, staging string) error {
				builds.Add(1)
				time.Sleep(50 * time.Millisecond)
				return os.WriteFile(filepath.Join(staging, "f"), []byte("x"), 0o644)
			})
			if err != nil {
				t.Error(err)
			}
			if b, err := os.ReadFile(filepath.Join(dir, "f")); err != nil || string(b) != "x" {
				t.Errorf("%q, %v", b, err)
			}
		})
	}
	wg.Wait()
	if builds.Load() != 1 {
		t.Errorf("%d builds", builds.Load())
	}
}

func TestFailedAndKilledBuildsLeaveNothing(t *testing.T) {
	st, key := open(t)
	failed := errors.New("no")
	_, err := st.Ensure(t.Context(), "thing", key, func(_ context.Context, staging string) error {
		os.WriteFile(filepath.Join(staging, "half"), nil, 0o644)
		return failed
	})
	if !errors.Is(err, failed) || st.Has("thing", key) {
		t.Errorf("%v; there: %v", err, st.Has("thing", key))
	}
	if left, _ := filepath.Glob(filepath.Join(st.Dir(), "thing", "*.partial")); left != nil {
		t.Errorf("left: %v", left)
	}
	// What a killed process leaves is not taken over.
	partial := st.Path("thing", key) + ".partial"
	os.MkdirAll(filepath.Join(partial, "half"), 0o755)
	dir, err := st.Ensure(t.Context(), "thing", key, func(context.Context, string) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	if files, _ := os.ReadDir(dir); len(files) != 0 {
		t.Errorf("half of a killed build is in the artefact: %v", files)
	}
}

func TestWaitingEndsWithTheContext(t *testing.T) {
	st, key := open(t)
	unlock, err := st.Lock(t.Context(), "thing", key)
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	told := false
	st.Waiting = func(string) { told = true }
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := st.Ensure(ctx, "thing", key, nil); !errors.Is(err, context.DeadlineExceeded) || !told {
		t.Errorf("got %v, told %v", err, told)
	}
}

func TestKeysKeepNamesAndValuesApart(t *testing.T) {
	a, b := NewHasher("r"), NewHasher("r")
	a.Add("ab", "c")
	b.Add("a", "bc")
	if a.Key() == b.Key() {
		t.Error("two inputs, one key")
	}
}

func TestFullDiskIsSaidBeforehand(t *testing.T) {
	var full *SpaceError
	for dir, setting := range map[string]string{t.TempDir(): "--cache", os.TempDir(): "TMPDIR"} {
		if err := NeedSpace(dir, 1<<60); !errors.As(err, &full) || !strings.Contains(full.Hint(), setting) {
			t.Errorf("%s: got %v, hint %q", dir, err, full.Hint())
		}
	}
}
