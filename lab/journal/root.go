package journal

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/google/renameio/v2"
)

// root is a run's folder. All that this package reads and writes there goes
// through it, because the folder may come from somebody else: nothing in it leads
// out of it, and links, pipes and devices are refused within it too.
type root struct{ *os.Root }

// openRoot opens a run's folder. The folder itself may be a link.
func openRoot(dir string) (root, error) {
	r, err := os.OpenRoot(dir)
	return root{r}, err
}

// within opens a run's folder for as long as do runs.
func within(dir string, do func(root) error) error {
	r, err := openRoot(dir)
	if err != nil {
		return err
	}
	defer r.Close()
	return do(r)
}

// PlainError says that something in a run's folder is not what a lab puts there.
type PlainError struct {
	Path string
	Want string // "a file" or "a folder"
	Got  fs.FileMode
}

func (e *PlainError) Error() string {
	return fmt.Sprintf("%s: want %s, got %s", e.Path, e.Want, kindOf(e.Got))
}

// BadInput marks what the user can mend, see usage.IsBadInput.
func (*PlainError) BadInput() {}

// Hint says what to do about it.
func (e *PlainError) Hint() string {
	return "no lab makes that: see where the run's folder comes from, and remove it"
}

func kindOf(mode fs.FileMode) string {
	switch {
	case mode&fs.ModeSymlink != 0:
		return "a symbolic link"
	case mode.IsDir():
		return "a folder"
	case mode.IsRegular():
		return "a file"
	case mode&fs.ModeNamedPipe != 0:
		return "a pipe"
	case mode&fs.ModeSocket != 0:
		return "a socket"
	}
	return "a device"
}

// check returns a *PlainError where name is not a regular file, or where what leads
// to it is not a folder. The error is fs.ErrNotExist where there is nothing.
func (r root) check(name string) error {
	if err := r.folders(filepath.Dir(name)); err != nil {
		return err
	}
	info, err := r.Lstat(name)
	if err == nil && !info.Mode().IsRegular() {
		err = &PlainError{r.path(name), "a file", info.Mode()}
	}
	return err
}

// folders returns a *PlainError where a part of the path name is not a folder.
func (r root) folders(name string) error { return r.eachFolder(name, r.Lstat) }

// eachFolder looks at each part of the path name and returns a *PlainError for the
// first that is not a folder.
func (r root) eachFolder(name string, look func(path string) (fs.FileInfo, error)) error {
	path := ""
	for part := range strings.SplitSeq(filepath.Clean(name), string(filepath.Separator)) {
		path = filepath.Join(path, part)
		info, err := look(path)
		if err != nil {
			return err
		}
		if !info.IsDir() {
			return &PlainError{r.path(path), "a folder", info.Mode()}
		}
	}
	return nil
}

// path is a name for messages.
func (r root) path(name string) string { return filepath.Join(r.Name(), name) }

// open opens a regular file. With flags of os.O_CREATE it need not exist.
func (r root) open(name string, flags int) (*os.File, error) {
	err := r.check(name)
	var f *os.File
	if err == nil || flags&os.O_CREATE != 0 && errors.Is(err, fs.ErrNotExist) {
		f, err = r.OpenFile(name, flags, 0o644)
	}
	if in := (*fs.PathError)(nil); errors.As(err, &in) {
		err = &fs.PathError{Op: "open", Path: r.path(name), Err: in.Err} // not within the root alone
	}
	return f, err
}

// read returns a file's content, at most so many bytes: a larger one is an error.
func (r root) read(name string, most int64) ([]byte, error) {
	f, err := r.open(name, os.O_RDONLY)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, most+1))
	if err == nil && int64(len(b)) > most {
		err = &sizeError{r.path(name), most}
	}
	return b, err
}

// sizeError says that a file is larger than any that lab writes there.
type sizeError struct {
	path string
	most int64 // bytes
}

func (e *sizeError) Error() string {
	return fmt.Sprintf("%s: want at most %d KiB", e.path, e.most>>10)
}

// folder makes a folder and those that lead to it.
func (r root) folder(name string) error {
	return r.eachFolder(name, func(path string) (fs.FileInfo, error) {
		info, err := r.Lstat(path)
		if !errors.Is(err, fs.ErrNotExist) {
			return info, err
		}
		// Another lab may make it at the same time.
		if err := r.Mkdir(path, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
			return nil, err
		}
		return r.Lstat(path)
	})
}

// write puts a file in the place of what has its name. Readers see all of it or
// nothing, whenever lab is killed.
func (r root) write(name string, content []byte) error {
	if err := r.folder(filepath.Dir(name)); err != nil {
		return err
	}
	return renameio.WriteFile(name, content, 0o644, renameio.WithRoot(r.Root))
}
