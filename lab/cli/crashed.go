package cli

import (
	"context"
	"fmt"

	"ghostlab/lab/provision"
	"ghostlab/lab/rerun"
	"ghostlab/lab/runner"
	"ghostlab/lab/usage"
)

// lookAtCrash shows look the guest of that name, which is held at its crash, or the past
// trial of that name at its crash, in another run of it. kept, when not nil, is asked
// before a past trial is run.
func (a *app) lookAtCrash(ctx context.Context, name string, look func(context.Context, rerun.Crash) error, kept func(provision.Provider, *rerun.Past) (bool, error)) error {
	guest, err := a.guest(name)
	if err == nil && guest.Held != "" {
		return rerun.AtHeld(ctx, guest, look)
	}
	past, missing := a.past(name)
	switch {
	case err == nil && (name == "" || missing != nil):
		return usage.New(fmt.Errorf("guest %s is not held at a crash", guest.Name),
			"`lab run --hold-on crash` holds those that fail; `lab attach` looks at one that runs")
	case name == "":
		return err
	case missing != nil:
		return missing
	case !runner.Failed(past.Trial.Trial):
		return &rerun.PassedError{Past: past}
	}
	p, err := a.provider()
	if err != nil {
		return err
	}
	defer p.Out.Close()
	if kept != nil {
		if done, err := kept(p, past); done || err != nil {
			return err
		}
	}
	t, err := rerun.Open(ctx, p, past)
	if err != nil {
		return err
	}
	defer t.Close()
	return t.AtCrash(ctx, look)
}
