package cli

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"ghostlab/lab/experiment"
	"ghostlab/lab/journal"
	"ghostlab/lab/matrix"
	"ghostlab/lab/rerun"
	"ghostlab/lab/runner"
	"ghostlab/lab/usage"
	"ghostlab/scenarios"
)

type huntFlags struct {
	set            []string
	limit          time.Duration
	trials, enough int
	guests         int
	seed           uint64
	title          string
	json           bool
}

func (a *app) huntCommand() *cobra.Command {
	var f huntFlags
	cmd := &cobra.Command{
		Use:   "hunt SCENARIO",
		Short: "Search for schedules that make a program fail",
		Long: `Search for schedules that make a program fail: the number of vCPUs, their speed, time
slices, where in them the program starts, and its random numbers. The hunt learns which
of these pay for the program and ends with the first failure, a trial that
` + "`lab replay`" + ` repeats exactly. How often a hunted trial fails says nothing about how
often the program does; ` + "`lab run`" + ` measures that.

Exit codes: 0 found, 1 not found within the limits.`,
		Example: `  lab hunt split-sp --go 1.24.5
  lab hunt ghost-map --set key_space=growing --set iterations=100
  lab hunt ghost-map --title "concurrent map iteration" --limit 30m`,
		Args: exactly("a scenario"),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := scenarios.Find(a.cfg.Scenarios, args[0])
			if err != nil {
				return err
			}
			m, err := a.hunted(s, f)
			if err != nil {
				return err
			}
			wanted := runner.Failed
			if f.title != "" {
				wanted = func(t journal.Trial) bool { return strings.Contains(t.Title, f.title) }
			}
			l, err := a.lab()
			if err != nil {
				return err
			}
			return a.carryOutHunt(cmd.Context(), l, m, wanted, f)
		},
	}
	cmd.Flags().StringArrayVar(&f.set, "set", nil, "a `name=value`: a parameter of the scenario, or what `lab run --set` takes")
	cmd.Flags().DurationVar(&f.limit, "limit", 10*time.Minute, "`time` after which to give up")
	cmd.Flags().IntVar(&f.trials, "trials", experiment.MostHunted, "`number` of trials after which to give up")
	cmd.Flags().IntVar(&f.enough, "failures", 1, "`number` of failures to find")
	cmd.Flags().IntVarP(&f.guests, "guests", "j", 0, "`number` of guests at once (default: what the cores and the memory allow)")
	cmd.Flags().Uint64Var(&f.seed, "seed", 1, "`seed` of the hunt")
	cmd.Flags().StringVar(&f.title, "title", "", "hunt for failures with this `text` in their signature only")
	cmd.Flags().BoolVar(&f.json, "json", false, "print the result as one JSON document")
	return cmd
}

// hunted is the matrix of a hunt, which its flags make.
func (a *app) hunted(s *scenarios.Scenario, f huntFlags) (*matrix.Matrix, error) {
	if f.trials < 1 || f.enough < 1 || f.limit <= 0 {
		return nil, usage.New(errors.New("--trials, --failures and --limit: want more than nothing"), "")
	}
	set, err := assignments("set", f.set)
	if err != nil {
		return nil, err
	}
	return experiment.Search(*a.cfg, s, f.trials, f.seed, set)
}

// huntFor searches for a trial that ends like a past one.
func (a *app) huntFor(ctx context.Context, past *rerun.Past, f replayFlags) error {
	l, err := a.lab()
	if err != nil {
		return err
	}
	l, m, wanted, err := l.Like(ctx, past.Run, past.Trial.Trial)
	if err != nil {
		return err
	}
	return a.carryOutHunt(ctx, l, m, wanted, huntFlags{enough: 1, limit: f.limit, guests: f.guests})
}

// carryOutHunt runs a hunted matrix, says what was found, and shows that it
// repeats.
func (a *app) carryOutHunt(ctx context.Context, l experiment.Lab, m *matrix.Matrix, wanted func(journal.Trial) bool, f huntFlags) error {
	h := &experiment.Hunt{Wanted: wanted, Enough: f.enough, Limit: f.limit}
	start := time.Now()
	dir, err := a.execute(ctx, l, experiment.Experiment{Matrix: m, Guests: f.guests, Hunt: h}, f.json)
	var silent silentError
	if errors.As(err, &silent) && silent.code == exitInfra && len(h.Found) > 0 {
		err = nil // some trial gave no result, but the hunt has
	}
	if err != nil {
		return err
	}
	if len(h.Found) == 0 {
		fmt.Fprintf(a.stderr, "lab: nothing found in %d trials and %v\n", h.Trials, time.Since(start).Round(time.Second))
		fmt.Fprintf(a.stderr, "hint: that is no proof of absence; --limit (%v) and --trials (%d) let the hunt go on for longer\n", f.limit, m.Trials)
		return silentError{exitDiffers}
	}
	if f.json {
		return nil
	}
	fmt.Fprintf(a.stdout, "\nfound after %v; again, exactly:\n", time.Since(start).Round(100*time.Millisecond))
	for _, t := range h.Found {
		fmt.Fprintf(a.stdout, "  lab replay %s/%d\n", filepath.Base(dir), t.N)
	}
	fmt.Fprintln(a.stdout)
	return a.replay(ctx, fmt.Sprintf("%s/%d", dir, h.Found[0].N), replayFlags{times: 1})
}
