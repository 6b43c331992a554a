package journal

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"time"
)

// Find returns the folder of a run: a path, a name in dir, or with an empty
// name the newest run in dir.
func Find(dir, name string) (string, error) {
	if name != "" {
		for _, p := range []string{filepath.Join(dir, name), name} {
			if _, err := os.Stat(filepath.Join(p, runFile)); err == nil {
				return p, nil
			}
		}
		return "", &NoRunError{Dir: filepath.Join(dir, name)}
	}
	files, err := filepath.Glob(filepath.Join(dir, "*", runFile))
	if err != nil {
		return "", err
	}
	type dated struct {
		dir     string
		started time.Time
	}
	var runs []dated
	for _, f := range files {
		var run Run
		if b, err := os.ReadFile(f); err == nil && json.Unmarshal(b, &run) == nil {
			runs = append(runs, dated{filepath.Dir(f), run.Started})
		}
	}
	if len(runs) == 0 {
		return "", &NoRunError{Dir: dir}
	}
	sort.Slice(runs, func(i, j int) bool {
		a, b := runs[i], runs[j]
		if !a.started.Equal(b.started) {
			return a.started.Before(b.started)
		}
		return a.dir < b.dir
	})
	return runs[len(runs)-1].dir, nil
}

// FindTrial returns a run's folder and a trial's number from RUN/TRIAL, from a
// trial's folder, or from the number alone, which means the newest run.
func FindTrial(dir, name string) (run string, n int, err error) {
	name = filepath.Clean(name)
	number := filepath.Base(name)
	if n, err = strconv.Atoi(number); err != nil || n < 1 {
		return "", 0, &NoTrialError{Name: name}
	}
	runName := filepath.Dir(name)
	if filepath.Base(runName) == "trials" {
		runName = filepath.Dir(runName)
	}
	if name == number {
		runName = ""
	}
	run, err = Find(dir, runName)
	return run, n, err
}

// NoTrialError says that a name is no trial's.
type NoTrialError struct{ Name string }

func (e *NoTrialError) Error() string { return fmt.Sprintf("no trial %q", e.Name) }

// Hint says what to do about it.
func (e *NoTrialError) Hint() string {
	return "name it as RUN/TRIAL, such as 20261124-020841-ghost-map/17; a number alone means the newest run's"
}

// ReadEvidence returns what is kept of a trial.
func ReadEvidence(run string, n int) (Evidence, error) {
	dir := TrialDir(run, n)
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return Evidence{}, nil
	}
	if err != nil {
		return nil, err
	}
	ev := Evidence{}
	for _, e := range entries {
		if e.Type().IsRegular() {
			if ev[e.Name()], err = os.ReadFile(filepath.Join(dir, e.Name())); err != nil {
				return nil, err
			}
		}
	}
	return ev, nil
}

// NoRunError says that a folder holds no run.
type NoRunError struct{ Dir string }

func (e *NoRunError) Error() string { return "no run in " + e.Dir }

// Hint says what to do about it.
func (e *NoRunError) Hint() string {
	return "`lab run matrix.yaml` makes one; --runs names the folder that runs are in"
}
