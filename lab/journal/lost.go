package journal

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// WriteError says that something of a run could not be kept.
type WriteError struct {
	What string // such as "trial 7"
	Err  error
}

func (e *WriteError) Error() string { return fmt.Sprintf("%s is not kept: %v", e.What, e.Err) }

func (e *WriteError) Unwrap() error { return e.Err }

// notKept is the error for what could not be written, nil where it was.
func notKept(what string, err error) error {
	if err == nil || errors.As(err, new(*WriteError)) {
		return err
	}
	return &WriteError{What: what, Err: err}
}

// GoneError says that a run's folder is no longer where its lab writes it.
type GoneError struct{ Dir string }

func (e *GoneError) Error() string {
	return "the run's folder " + e.Dir + " was removed, renamed or replaced while the run went on"
}

// Hint says what to do about it.
func (e *GoneError) Hint() string {
	return "a folder that was renamed has the trials up to then: `lab run --resume FOLDER`; one that was removed is lost"
}

// there returns a *GoneError where the file that trials are appended to is not the one
// in the run's folder any more: what is written to it then is lost with it. A folder
// that nothing is appended to, as a merge's, is not looked at.
func (f *Folder) there() error {
	if f.opened == nil {
		return nil
	}
	now, err := os.Stat(filepath.Join(f.dir, trialsFile))
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) || err == nil && !os.SameFile(now, f.opened) {
		return &GoneError{Dir: f.dir}
	}
	return err
}
