package journal

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
)

// Evidence are the files kept of a trial, by name.
type Evidence map[string][]byte

// writeEvidence writes the files into a folder of the run's, which is made where there
// are any.
func (r root) writeEvidence(dir string, e Evidence) error {
	made := false
	for name, content := range e {
		if len(content) == 0 {
			continue
		}
		if !made {
			if err := r.folder(dir); err != nil {
				return err
			}
			made = true
		}
		if err := r.WriteFile(filepath.Join(dir, name), content, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// OpenEvidence opens a file that is kept of a trial. A run may come from somebody
// else: what is no regular file in the run's folder, such as a link to one of this
// host's, is refused. The error is fs.ErrNotExist where there is none.
func OpenEvidence(run string, n int, name string) (*os.File, error) {
	r, err := openRoot(run)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return r.open(filepath.Join(TrialDir("", n), name), os.O_RDONLY)
}

// mostEvidence bounds what ReadEvidence returns, in bytes. What the lab keeps of a trial
// is some MiB, but for a core, which OpenEvidence is for.
const mostEvidence = 256 << 20

// ReadEvidence returns files that are kept of a trial: those of the names, or all. What is
// no regular file is passed over.
func ReadEvidence(run string, n int, names ...string) (Evidence, error) {
	ev := Evidence{}
	err := within(run, func(r root) error {
		dir := TrialDir("", n)
		if err := r.folders(dir); errors.Is(err, fs.ErrNotExist) {
			return nil
		} else if err != nil {
			return err
		}
		entries, err := fs.ReadDir(r.FS(), filepath.ToSlash(dir))
		if err != nil {
			return err
		}
		left := int64(mostEvidence)
		for _, e := range entries {
			if !e.Type().IsRegular() || len(names) > 0 && !slices.Contains(names, e.Name()) {
				continue
			}
			content, err := r.read(filepath.Join(dir, e.Name()), left)
			if err != nil {
				return err
			}
			ev[e.Name()] = content
			left -= int64(len(content))
		}
		return nil
	})
	return ev, err
}

// TrialsWith are the numbers of the trials that have a file of that name,
// ascending.
func TrialsWith(run, name string) (all []int) {
	within(run, func(r root) error {
		for _, n := range r.numbered(trialsDir) {
			if r.check(filepath.Join(TrialDir("", n), name)) == nil {
				all = append(all, n)
			}
		}
		return nil
	})
	slices.Sort(all)
	return all
}

// numbered are the numbers from 1 that are names in a folder.
func (r root) numbered(dir string) (all []int) {
	if r.folders(dir) != nil {
		return nil
	}
	entries, _ := fs.ReadDir(r.FS(), dir)
	for _, e := range entries {
		if n, err := strconv.Atoi(e.Name()); err == nil && n > 0 && e.Name() == strconv.Itoa(n) {
			all = append(all, n)
		}
	}
	return all
}
