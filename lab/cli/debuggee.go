package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"ghostlab/lab/journal"
	"ghostlab/lab/runner"
	"ghostlab/lab/usage"
	"ghostlab/scenarios"
)

// debuggee is the program that a session is about.
type debuggee struct {
	program scenarios.Program
	command journal.Command
}

// debuggee finds the scenario of that name, with values for its parameters, or
// else the Go package in that folder, with arguments.
func (a *app) debuggee(ctx context.Context, name, run string, args, set []string) (*debuggee, error) {
	if isFolder(name) {
		if _, err := os.Stat(filepath.Join(name, "scenario.yaml")); err != nil {
			return a.packageDebuggee(ctx, name, run, args, set)
		}
	}
	s, err := scenarios.Find(a.cfg.Scenarios, name)
	if err != nil {
		return nil, err
	}
	if len(args) > 0 || run != "" {
		return nil, usage.New(errors.New("a scenario takes parameters, not arguments or tests"), "--set name=value sets one")
	}
	values, err := s.Values(set)
	if err != nil {
		return nil, usage.New(err, "`lab debug --help` has examples")
	}
	return &debuggee{s.Program(), runner.Command(s, values, nil)}, nil
}

// isFolder says whether a name is meant as a path, as for the go command.
func isFolder(name string) bool {
	return name == "." || name == ".." || strings.HasPrefix(name, "./") || strings.HasPrefix(name, "../") || filepath.IsAbs(name)
}

// packageDebuggee is the package's program or, where run names some, its tests.
func (a *app) packageDebuggee(ctx context.Context, name, run string, args, set []string) (*debuggee, error) {
	if len(set) > 0 {
		return nil, usage.New(fmt.Errorf("--set: %s is a package, which has no parameters", name), "arguments of its program come after --")
	}
	p, err := a.program(ctx, name, args, &tryFlags{run: run})
	if err != nil {
		return nil, err
	}
	return &debuggee{p, runner.Command(scenarios.Of(p, 0), nil, nil)}, nil
}
