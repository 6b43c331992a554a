package provision

import (
	"context"
	"fmt"

	"ghostlab/kernels"
	"ghostlab/lab/config"
	"ghostlab/lab/journal"
	"ghostlab/scenarios"
)

// MayFollow says whether something on this host may be read, built or executed because
// a run names it: the run is this user's own, or the user says so.
func (p Provider) MayFollow(run *journal.Run) bool { return p.Trust || run.Authentic() }

// UntrustedError says that something which a run from elsewhere names would have to be
// read, built or run.
type UntrustedError struct {
	Run *journal.Run
	// Need is what would have to be done, a clause.
	Need string
}

func (e *UntrustedError) Error() string {
	return fmt.Sprintf("%s was not made by a lab of yours on this host (run.json has no MAC by your key), and %s", e.Run.ID, e.Need)
}

// BadInput marks what the user can mend, see usage.IsBadInput.
func (*UntrustedError) BadInput() {}

// Hint says what to do about it.
func (e *UntrustedError) Hint() string {
	return "see what run.json names; if it is what you want to have read, built and run, add --trust.\n" +
		"runs of your own that an older lab made need it too"
}

// Compiler gives a program the C compiler of this host, where it needs one.
func Compiler(settings config.Config, program scenarios.Program) scenarios.Program {
	if program.Cgo {
		program.CC = settings.CrossCompile + "gcc"
	}
	return program
}

// ScenarioOf returns what a past run ran, as it is now. The error is an *UntrustedError
// where the run names its package.
func (p Provider) ScenarioOf(run *journal.Run) (*scenarios.Scenario, error) {
	if run.Own != nil {
		if !p.MayFollow(run) {
			return nil, &UntrustedError{run, fmt.Sprintf("the package %s in %s, which it names, would have to be built", run.Own.Package, run.Own.Dir)}
		}
		return scenarios.Of(Compiler(p.Settings, *run.Own), run.Timeout), nil
	}
	if run.ScenarioDir != "" && p.MayFollow(run) {
		// It may have been named by its path; a run that has moved finds it by name.
		if s, err := scenarios.Find(p.Settings.Scenarios, run.ScenarioDir); err == nil {
			return s, nil
		}
	}
	return scenarios.Find(p.Settings.Scenarios, run.Scenario)
}

// WithTree returns a provider that builds the tree that a run's kernel was built from,
// unless the settings name one. The error is an *UntrustedError, or a *TreeError where
// that tree has changed.
func (p Provider) WithTree(ctx context.Context, run *journal.Run, k journal.Kernel) (Provider, error) {
	if k.Tree == "" || p.Settings.KernelSource != "" {
		return p, nil
	}
	if !p.MayFollow(run) {
		return p, &UntrustedError{run, "its kernel would have to be built from " + k.Tree + ", which it names"}
	}
	is, err := kernels.Digest(ctx, p.Store, k.Tree)
	if err != nil {
		return p, err
	}
	if is != k.TreeDigest {
		return p, &TreeError{path: k.Tree, was: k.TreeDigest, is: is}
	}
	p.Settings.KernelSource = k.Tree
	return p, nil
}

// TreeError says that the kernel source of a run is not what it was.
type TreeError struct{ path, was, is string }

func (e *TreeError) Error() string {
	return fmt.Sprintf("the kernel source %s has changed since the run: %.12s -> %.12s", e.path, e.was, e.is)
}

// BadInput marks what the user can mend, see usage.IsBadInput.
func (*TreeError) BadInput() {}

// Hint says what to do about it.
func (e *TreeError) Hint() string {
	return "make it as it was, name where it still is so with --kernel-source, or start a new run"
}
