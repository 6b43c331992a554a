package cli

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"ghostlab/lab/journal"
	"ghostlab/lab/vm"
)

// guestNames is what --help says of a name that may be a running guest's. The function
// guest is where it holds.
const guestNames = `A guest that runs now is named as ` + "`lab ps`" + ` shows it: by the guest's own name, or by
RUN/TRIAL. RUN is a run's folder, its name in --runs, or else what the column run
shows; of a session that is its kind, as in shell/1. A number alone is a trial of the
newest run in --runs, also while another run goes on, and never of a session.`

// guest finds the guest of that name. Without a name it is the only one there is, or the
// only one that is held. The error is a *guestError.
func (a *app) guest(name string) (vm.Live, error) {
	of := a.named(name)
	var found, held []vm.Live
	for _, g := range vm.Guests() {
		if g.Name == name {
			return g, nil
		}
		if !of(g) {
			continue
		}
		found = append(found, g)
		if g.Held != "" {
			held = append(held, g)
		}
	}
	switch {
	case len(found) == 1:
		return found[0], nil
	case len(held) == 1:
		return held[0], nil
	}
	return vm.Live{}, &guestError{name, len(found)}
}

// named returns a test of whether a guest runs the trial of that name. A guest's own name
// is not looked at.
func (a *app) named(name string) func(vm.Live) bool {
	if name == "" {
		return func(vm.Live) bool { return true }
	}
	if dir, n, err := journal.FindTrial(a.cfg.Runs, name, nil); err == nil {
		folder := vm.FolderName(dir)
		return func(g vm.Live) bool { return g.Folder == folder && slices.Contains(g.Trials, n) }
	}
	run, trial, _ := strings.Cut(name, "/")
	n, err := strconv.Atoi(trial)
	return func(g vm.Live) bool { return err == nil && g.Run == run && slices.Contains(g.Trials, n) }
}

// guestError says that a name is not one guest's.
type guestError struct {
	name  string
	found int
}

func (e *guestError) Error() string {
	switch {
	case e.found > 1 && e.name != "":
		return fmt.Sprintf("%d guests have a trial %q", e.found, e.name)
	case e.found > 1:
		return fmt.Sprintf("%d guests run: name one", e.found)
	case e.name == "":
		return "no guest runs"
	}
	return fmt.Sprintf("no guest %q runs", e.name)
}

// BadInput marks what the user can mend, see usage.IsBadInput.
func (*guestError) BadInput() {}

// Hint says what to do about it.
func (e *guestError) Hint() string {
	if e.found > 1 {
		return "`lab ps` lists them"
	}
	return "`lab ps` lists those that do; a number alone is a trial of the newest run in --runs;\n" +
		"`lab replay --gdb` opens a trial of the past at its crash,\n" +
		"`lab run --hold-on crash` keeps the guest of one that fails"
}
