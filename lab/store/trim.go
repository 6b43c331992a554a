package store

import (
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"syscall"
	"time"

	"github.com/gofrs/flock"
)

// trimAge is how long an artefact must have been unused to be removed. A run says
// every hour that it uses its templates.
const trimAge = 24 * time.Hour

// Trim removes artefacts of a kind that take more than most bytes of disk
// together, the longest unused first and none that was used within a day, and
// what killed processes have left half done. Failures are left to the next
// time. An artefact's use is its folder's modification time.
func (s *Store) Trim(kind string, most int64) {
	root := filepath.Join(s.dir, kind)
	entries, err := os.ReadDir(root)
	if err != nil {
		return
	}
	type artefact struct {
		path string
		size int64
		used time.Time
	}
	var all []artefact
	var total int64
	for _, e := range entries {
		path := filepath.Join(root, e.Name())
		if done, partial := strings.CutSuffix(path, ".partial"); partial {
			removeAbandoned(path, done+".lock")
			continue
		}
		info, err := e.Info()
		if err != nil || !e.IsDir() {
			continue
		}
		a := artefact{path, diskUsage(path), info.ModTime()}
		total += a.size
		all = append(all, a)
	}
	sort.Slice(all, func(i, j int) bool { return all[i].used.Before(all[j].used) })
	for _, a := range all {
		if total <= most || time.Since(a.used) < trimAge {
			return
		}
		l := flock.New(a.path + ".lock")
		if ok, err := l.TryLock(); err != nil || !ok {
			continue
		}
		// A killed process must not leave half an artefact under its name.
		if os.Rename(a.path, a.path+".partial") == nil && os.RemoveAll(a.path+".partial") == nil {
			total -= a.size
		}
		l.Unlock()
	}
}

// removeAbandoned removes a staging folder that nobody holds the lock of.
func removeAbandoned(staging, lock string) {
	l := flock.New(lock)
	if ok, err := l.TryLock(); err == nil && ok {
		os.RemoveAll(staging)
		l.Unlock()
	}
}

// diskUsage is what a folder's files take on the disk; holes take nothing.
func diskUsage(dir string) int64 {
	var sum int64
	filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err != nil {
			return nil
		}
		if info, err := d.Info(); err == nil {
			if st, ok := info.Sys().(*syscall.Stat_t); ok {
				sum += st.Blocks * 512
			}
		}
		return nil
	})
	return sum
}
