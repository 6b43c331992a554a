package vm

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/gofrs/flock"

	"ghostlab/lab/store"
)

// roomNeeded is free memory that a folder for sockets and a mailbox should have.
const roomNeeded = 128 << 20

const rundirPrefix = "ghostlab-"

// rundir is a private folder of one VM: its sockets, its mailbox, its raw
// console. It is in memory where the host has such a file system, only its
// user can enter it, and it goes when the VM goes.
type rundir struct {
	path string
	lock *flock.Flock
}

func bases() []string {
	if info, err := os.Stat("/dev/shm"); err == nil && info.IsDir() {
		return []string{"/dev/shm", os.TempDir()}
	}
	return []string{os.TempDir()}
}

func newRundir() (*rundir, error) { return rundirIn(bases()) }

// Scratch makes a folder on the disk for what lab needs while it runs. Call remove
// in the end; if lab is killed before, CleanStale of the next does it.
func Scratch() (path string, remove func(), err error) {
	r, err := rundirIn([]string{os.TempDir()})
	if err != nil {
		return "", nil, err
	}
	return r.path, r.remove, nil
}

func rundirIn(bases []string) (*rundir, error) {
	var errs []error
	for _, base := range bases {
		if err := store.NeedSpace(base, roomNeeded); err != nil {
			errs = append(errs, err)
			continue
		}
		// MkdirTemp makes it 0700.
		dir, err := os.MkdirTemp(base, rundirPrefix)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		r := &rundir{path: dir, lock: flock.New(filepath.Join(dir, "lock"))}
		if _, err := r.lock.TryLock(); err != nil {
			os.RemoveAll(dir)
			return nil, err
		}
		return r, nil
	}
	return nil, fmt.Errorf("make a folder for a while: %w", errors.Join(errs...))
}

func (r *rundir) file(name string) string { return filepath.Join(r.path, name) }

func (r *rundir) remove() {
	os.RemoveAll(r.path)
	r.lock.Unlock()
}

// CleanStale removes the folders of VMs and of Scratch whose lab was killed. Those
// of running ones are locked and stay.
func CleanStale() {
	for _, base := range bases() {
		dirs, err := filepath.Glob(filepath.Join(base, rundirPrefix+"*"))
		if err != nil {
			continue
		}
		for _, dir := range dirs {
			lockFile := filepath.Join(dir, "lock")
			if _, err := os.Stat(lockFile); err != nil {
				continue // being made right now, or not ours
			}
			l := flock.New(lockFile)
			if ok, err := l.TryLock(); err == nil && ok {
				os.RemoveAll(dir)
				l.Unlock()
			}
		}
	}
}
