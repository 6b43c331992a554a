package journal

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Find returns the folder of a run: a name in dir, else a path, or with an empty name
// the newest run in dir. What begins with /, ./ or ../ is a path only. Where the newest
// is sought skipped, if set, is told of each run in dir that cannot be read.
func Find(dir, name string, skipped func(error)) (string, error) {
	if name != "" {
		places := []string{filepath.Join(dir, name), name}
		if isPath(name) {
			places = places[1:]
		}
		for _, p := range places {
			if _, err := os.Stat(filepath.Join(p, runFile)); err == nil {
				return p, nil
			}
		}
		return "", &NoRunError{Dir: filepath.Clean(places[0])}
	}
	runs, unreadable := List(dir)
	for _, err := range unreadable {
		if skipped != nil {
			skipped(err)
		}
	}
	if len(runs) == 0 {
		return "", &NoRunError{Dir: dir}
	}
	return runs[0].Dir, nil
}

// Listed is a run with its folder.
type Listed struct {
	Dir string
	*Run
}

// List returns the runs in dir, the newest first, and an error for each that cannot
// be read. A folder without a run.json is no run.
func List(dir string) (runs []Listed, unreadable []error) {
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		folder := filepath.Join(dir, e.Name())
		if info, err := os.Stat(folder); err != nil || !info.IsDir() {
			continue
		}
		run, err := ReadRun(folder)
		var none *NoRunError
		switch {
		case err == nil:
			runs = append(runs, Listed{folder, run})
		case !errors.As(err, &none):
			unreadable = append(unreadable, err)
		}
	}
	slices.SortFunc(runs, func(a, b Listed) int {
		return cmp.Or(b.Started.Compare(a.Started), strings.Compare(b.Dir, a.Dir))
	})
	return runs, unreadable
}

func isPath(name string) bool {
	return filepath.IsAbs(name) || strings.HasPrefix(name, "./") || strings.HasPrefix(name, "../")
}

// FindTrial returns a run's folder and a trial's number from RUN/TRIAL, where RUN is
// what Find takes, from a trial's folder, or from the number alone, which means the
// newest run in dir; see Find.
func FindTrial(dir, name string, skipped func(error)) (run string, n int, err error) {
	path := isPath(name)
	name = filepath.Clean(name)
	number := filepath.Base(name)
	if n, err = strconv.Atoi(number); err != nil || n < 1 {
		return "", 0, &NoTrialError{Name: name}
	}
	runName := filepath.Dir(name)
	if filepath.Base(runName) == "trials" {
		runName = filepath.Dir(runName)
	}
	switch {
	case path && !filepath.IsAbs(runName):
		runName = "./" + runName // which Clean has taken away
	case name == number:
		runName = ""
	}
	run, err = Find(dir, runName, skipped)
	return run, n, err
}

// NoTrialError says that a name is no trial's.
type NoTrialError struct{ Name string }

func (e *NoTrialError) Error() string { return fmt.Sprintf("no trial %q", e.Name) }

// BadInput marks what the user can mend, see usage.IsBadInput.
func (*NoTrialError) BadInput() {}

// Hint says what to do about it.
func (e *NoTrialError) Hint() string {
	return "name it as RUN/TRIAL, such as 20261124-020841-ghost-map/17; a number alone means the newest run's"
}

// NoRunError says that a folder holds no run.
type NoRunError struct{ Dir string }

func (e *NoRunError) Error() string { return "no run in " + e.Dir }

// BadInput marks what the user can mend, see usage.IsBadInput.
func (*NoRunError) BadInput() {}

// Hint says what to do about it.
func (e *NoRunError) Hint() string {
	return "`lab run matrix.yaml` makes one; --runs names the folder that runs are in"
}
