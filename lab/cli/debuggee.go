package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"ghostlab/lab/config"
	"ghostlab/lab/runner"
	"ghostlab/lab/session"
	"ghostlab/lab/usage"
	"ghostlab/scenarios"
)

// debuggee finds the scenario of that name, with values for its parameters, or
// else the Go package in that folder, with arguments. The settings are those that it is
// compiled with.
func (a *app) debuggee(ctx context.Context, name, run string, args, set []string) (session.Program, config.Config, error) {
	none := session.Program{}
	if isFolder(name) {
		if _, err := os.Stat(filepath.Join(name, "scenario.yaml")); err != nil {
			return a.packageDebuggee(ctx, name, run, args, set)
		}
	}
	s, err := scenarios.Find(a.cfg.Scenarios, name)
	if err != nil {
		return none, *a.cfg, err
	}
	if len(args) > 0 || run != "" {
		return none, *a.cfg, usage.New(errors.New("a scenario takes parameters, not arguments or tests"), "--set name=value sets one")
	}
	values, err := s.Values(set)
	if err != nil {
		return none, *a.cfg, usage.New(err, "`lab debug --help` has examples")
	}
	return session.Program{Source: s.Program(), Command: runner.Command(s, values, nil)}, *a.cfg, nil
}

// isFolder says whether a name is meant as a path, as for the go command.
func isFolder(name string) bool {
	return name == "." || name == ".." || strings.HasPrefix(name, "./") || strings.HasPrefix(name, "../") || filepath.IsAbs(name)
}

// packageDebuggee is the package's program or, where run names some, its tests.
func (a *app) packageDebuggee(ctx context.Context, name, run string, args, set []string) (session.Program, config.Config, error) {
	if len(set) > 0 {
		return session.Program{}, *a.cfg, usage.New(fmt.Errorf("--set: %s is a package, which has no parameters", name), "arguments of its program come after --")
	}
	p, settings, err := a.program(ctx, name, args, &tryFlags{run: run})
	if err != nil {
		return session.Program{}, settings, err
	}
	return session.Program{Source: p, Command: runner.Command(scenarios.Of(p, 0), nil, nil)}, settings, nil
}
