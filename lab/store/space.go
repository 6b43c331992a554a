package store

import (
	"fmt"
	"os"
	"syscall"
)

// NeedSpace fails when the file system of dir has fewer free bytes than want.
func NeedSpace(dir string, want int64) error {
	var st syscall.Statfs_t
	if err := syscall.Statfs(dir, &st); err != nil {
		return fmt.Errorf("free space of %s: %w", dir, err)
	}
	if free := int64(st.Bavail) * int64(st.Bsize); free < want {
		return &SpaceError{Dir: dir, Free: free, Want: want}
	}
	return nil
}

// SpaceError says that a disk is too full to begin.
type SpaceError struct {
	Dir        string
	Free, Want int64 // bytes
}

func (e *SpaceError) Error() string {
	return fmt.Sprintf("%s has %d MiB free, want %d MiB", e.Dir, e.Free>>20, e.Want>>20)
}

// Hint says what to do about it.
func (e *SpaceError) Hint() string {
	switch e.Dir {
	case os.TempDir(), "/dev/shm": // for sockets and scratch files, see lab/vm
		return "free some space there, or name another folder with TMPDIR"
	}
	return "free some space, or name another folder with --cache or --runs"
}
