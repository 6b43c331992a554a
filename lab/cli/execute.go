package cli

import (
	"context"
	"errors"
	"fmt"

	"al.essio.dev/pkg/shellescape"

	"ghostlab/lab/experiment"
	"ghostlab/lab/journal"
	"ghostlab/lab/report"
)

// execute runs an experiment and prints its result. It returns the run's folder. It
// closes the lab's Out: the table must not share the terminal with bars.
func (a *app) execute(ctx context.Context, l experiment.Lab, e experiment.Experiment, asJSON bool) (dir string, err error) {
	dir, err = l.Run(ctx, e)
	l.Out.Close()
	if dir == "" {
		return "", err
	}
	return dir, a.conclude(dir, asJSON, err)
}

// conclude prints what was found and writes the run's HTML report, also after an
// interruption or a failure.
func (a *app) conclude(dir string, asJSON bool, runErr error) error {
	var lost *journal.WriteError
	errors.As(runErr, &lost)
	if errors.As(runErr, new(*journal.GoneError)) {
		return lost // what is in dir now, if anything, is not this run
	}
	s, err := report.Read(dir)
	if err != nil {
		return errors.Join(runErr, err)
	}
	results, infra := s.Results()
	if results+infra > 0 || runErr == nil {
		if err := s.WriteFile(report.HTML, s.HTMLFile()); err != nil && runErr != nil {
			fmt.Fprintf(a.stderr, "lab: %v\n", err)
		} else if err != nil {
			runErr = err
		}
		print := s.Terminal
		if asJSON {
			print = s.JSON
		}
		if err := print(a.stdout); err != nil {
			return errors.Join(runErr, err)
		}
	}
	if !s.Hunted() && (runErr != nil && s.Missing > 0 || infra > 0) {
		fmt.Fprintf(a.stderr, "lab: %d of %d trials have a result; for the others: %s\n", results, s.Planned, shellescape.QuoteCommand([]string{"lab", "run", "--resume", report.Near(dir)}))
	}
	switch {
	case errors.Is(runErr, context.Canceled) && lost != nil:
		fmt.Fprintf(a.stderr, "lab: interrupted; %d finished trials are in %s\n", results, dir)
		return lost
	case errors.Is(runErr, context.Canceled):
		fmt.Fprintf(a.stderr, "lab: interrupted; %d finished trials are kept in %s\n", results, dir)
		return silentError{exitInterrupted}
	case runErr != nil:
		return runErr
	case infra > 0:
		return silentError{exitInfra}
	case s.Unmet() > 0:
		return silentError{exitDiffers}
	}
	return nil
}
