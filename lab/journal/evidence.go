package journal

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
)

// Evidence are the files kept of a trial, by name.
type Evidence map[string][]byte

func (e Evidence) write(dir string) error {
	for name, content := range e {
		if len(content) == 0 {
			continue
		}
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// OpenEvidence opens a file that is kept of a trial. A run may come from somebody
// else: what is no regular file in the run's folder, such as a link to one of this
// host's, is refused. The error is fs.ErrNotExist where there is none.
func OpenEvidence(run string, n int, name string) (*os.File, error) {
	root, err := os.OpenRoot(run)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	return openRegular(root, filepath.Join(TrialDir("", n), name))
}

func openRegular(root *os.Root, name string) (*os.File, error) {
	info, err := root.Lstat(name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s: want a file, got %s", filepath.Join(root.Name(), name), info.Mode())
	}
	return root.Open(name)
}

// ReadEvidence returns what is kept of a trial.
func ReadEvidence(run string, n int) (Evidence, error) {
	root, err := os.OpenRoot(run)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	dir := TrialDir("", n)
	entries, err := fs.ReadDir(root.FS(), filepath.ToSlash(dir))
	if errors.Is(err, fs.ErrNotExist) {
		return Evidence{}, nil
	}
	if err != nil {
		return nil, err
	}
	ev := Evidence{}
	for _, e := range entries {
		if !e.Type().IsRegular() {
			continue
		}
		f, err := openRegular(root, filepath.Join(dir, e.Name()))
		if err != nil {
			return nil, err
		}
		ev[e.Name()], err = io.ReadAll(f)
		if err := errors.Join(err, f.Close()); err != nil {
			return nil, err
		}
	}
	return ev, nil
}

// TrialsWith are the numbers of the trials that have a file of that name,
// ascending.
func TrialsWith(run, name string) (all []int) {
	for _, n := range numbered(filepath.Join(run, "trials")) {
		if info, err := os.Lstat(filepath.Join(TrialDir(run, n), name)); err == nil && info.Mode().IsRegular() {
			all = append(all, n)
		}
	}
	slices.Sort(all)
	return all
}

// numbered are the numbers from 1 that are names in dir.
func numbered(dir string) (all []int) {
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		if n, err := strconv.Atoi(e.Name()); err == nil && n > 0 {
			all = append(all, n)
		}
	}
	return all
}
