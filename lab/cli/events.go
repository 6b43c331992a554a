package cli

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"ghostlab/lab/live"
	"ghostlab/lab/usage"
)

// openEvents prepares what --json-events names. With "-" there is no other result on
// stdout.
func (a *app) openEvents(name string) error {
	switch name {
	case "":
		return nil
	case "-":
		a.events = live.NewEvents(a.stdout)
		a.stdout = io.Discard
	default:
		if err := writable(name); err != nil {
			return usage.New(fmt.Errorf("--json-events: %w", err), "")
		}
		a.eventsFile = &eventsFile{name: name}
		a.events = live.NewEvents(a.eventsFile)
	}
	a.events.Lost = func(err error) { fmt.Fprintf(a.stderr, "lab: events are lost: %v\n", err) }
	return nil
}

// endEvents says how lab ends. A file that has no event yet gets none where the command
// line was wrong.
func (a *app) endEvents(err error) {
	code, f := exitCode(err), a.eventsFile
	if code == exitUsage && f != nil && f.file == nil {
		return
	}
	a.events.End(code, err)
	if f == nil || f.file == nil {
		return
	}
	if err := f.file.Close(); err != nil {
		a.events.Lost(err)
	}
}

// eventsFile is a file that the first event creates or empties: that a verb has begun
// shows then only, as some of its flags are looked at late.
type eventsFile struct {
	name string
	file *os.File // nil before
}

func (e *eventsFile) Write(b []byte) (int, error) {
	if e.file == nil {
		var err error
		if e.file, err = os.Create(e.name); err != nil {
			return 0, err
		}
	}
	return e.file.Write(b)
}

// writable says beforehand whether a file can be written. What is no plain file, as a
// named pipe, is left alone: whoever reads it would see it end.
func writable(name string) error {
	info, err := os.Stat(name)
	switch {
	case err == nil && info.Mode().IsRegular():
		err = unix.Access(name, unix.W_OK)
	case err == nil && info.IsDir():
		err = unix.EISDIR
	case errors.Is(err, fs.ErrNotExist):
		err = unix.Access(filepath.Dir(name), unix.W_OK|unix.X_OK)
	}
	if err != nil {
		return &fs.PathError{Op: "open", Path: name, Err: err}
	}
	return nil
}
