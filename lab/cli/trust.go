package cli

import (
	"fmt"

	"github.com/spf13/pflag"

	"ghostlab/lab/journal"
	"ghostlab/scenarios"
)

// trustFlag defines the flag of the verbs that open past runs.
func (a *app) trustFlag(flags *pflag.FlagSet) {
	flags.BoolVar(&a.trust, "trust", false, "build and follow what the run names on this host, though no lab of yours has made it here")
}

// mayFollow says whether something on this host may be read, built or executed because
// a run names it: the run is this user's own, or the command line says so.
func (a *app) mayFollow(run *journal.Run) bool { return a.trust || run.Authentic() }

// untrustedError says that something which a run from elsewhere names would have to be
// read, built or run.
type untrustedError struct {
	run  *journal.Run
	need string // what would have to be done, a clause
}

func (e *untrustedError) Error() string {
	return fmt.Sprintf("%s was not made by a lab of yours on this host (run.json has no MAC by your key), and %s", e.run.ID, e.need)
}

// BadInput marks what the user can mend, see usage.IsBadInput.
func (*untrustedError) BadInput() {}

// Hint says what to do about it.
func (e *untrustedError) Hint() string {
	return "see what run.json names; if it is what you want to have read, built and run, add --trust.\n" +
		"runs of your own that an older lab made need it too"
}

// compiler gives a program the C compiler of this host, where it needs one.
func (a *app) compiler(p scenarios.Program) scenarios.Program {
	if p.Cgo {
		p.CC = a.cfg.CrossCompile + "gcc"
	}
	return p
}
