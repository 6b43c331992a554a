package vm

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

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

// memoryBase is Linux's file system in memory.
const memoryBase = "/dev/shm"

func bases() []string {
	if info, err := os.Stat(memoryBase); err == nil && info.IsDir() {
		return []string{memoryBase, os.TempDir()}
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
		// CleanStale of another lab must not find a lock that nobody holds.
		making := filepath.Join(dir, "making")
		r := &rundir{path: dir, lock: flock.New(making)}
		if _, err = r.lock.TryLock(); err == nil {
			err = os.Rename(making, r.file(lockFile))
		}
		if err != nil {
			r.remove()
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

// lockFile is locked while the lab that made the folder runs.
const lockFile = "lock"

// rundirs are the folders of this user in a base.
func rundirs(base string) (dirs []string) {
	names, _ := fs.Glob(os.DirFS(base), rundirPrefix+"*")
	for _, name := range names {
		dir := filepath.Join(base, name)
		// Anybody can make such a name there, and let it lead elsewhere.
		info, err := os.Lstat(dir)
		if err != nil || !info.IsDir() {
			continue
		}
		if of, ok := info.Sys().(*syscall.Stat_t); ok && int(of.Uid) == os.Getuid() {
			dirs = append(dirs, dir)
		}
	}
	return dirs
}

// CleanStale removes the folders of VMs and of Scratch whose lab was killed. Those
// of running ones are locked and stay.
func CleanStale() {
	for _, base := range bases() {
		for _, dir := range rundirs(base) {
			lock := filepath.Join(dir, lockFile)
			if _, err := os.Stat(lock); err != nil {
				continue // being made right now, or not ours
			}
			l := flock.New(lock)
			if ok, err := l.TryLock(); err == nil && ok {
				os.RemoveAll(dir)
				l.Unlock()
			}
		}
	}
}
