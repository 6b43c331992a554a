package cli

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"ghostlab/lab/journal"
	"ghostlab/lab/matrix"
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
			return a.carryOutHunt(cmd.Context(), m, wanted, f)
		},
	}
	cmd.Flags().StringArrayVar(&f.set, "set", nil, "a `name=value`: a parameter of the scenario, or what `lab run --set` takes")
	cmd.Flags().DurationVar(&f.limit, "limit", 10*time.Minute, "`time` after which to give up")
	cmd.Flags().IntVar(&f.trials, "trials", mostHunted, "`number` of trials after which to give up")
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
	return a.search(s, f.trials, f.seed, set)
}

// search is a matrix whose schedules are searched.
func (a *app) search(s *scenarios.Scenario, trials int, seed uint64, set []matrix.Flag) (*matrix.Matrix, error) {
	search := []matrix.Flag{
		{Name: matrix.KeySearch, Value: matrix.Hunt, Words: "hunt"},
		{Name: matrix.KeyTrials, Value: strconv.Itoa(trials), Words: "flag --trials"},
		{Name: matrix.KeySeed, Value: strconv.FormatUint(seed, 10), Words: "flag --seed"},
	}
	return matrix.Of(s, matrix.Options{Presets: a.presets(), Set: append(search, set...)})
}

// huntFor searches for a trial that ends like a past one.
func (a *app) huntFor(ctx context.Context, p *pastTrial, f replayFlags) error {
	m, wanted, err := a.like(ctx, p)
	if err != nil {
		return err
	}
	return a.carryOutHunt(ctx, m, wanted, huntFlags{enough: 1, limit: f.limit, guests: f.guests})
}

// threaded gives the programs of a hunt as many threads for goroutines as they
// have on so many vCPUs, also on one: there a Go program would have one only, which
// the runtime's own functions, such as those of maps, do not leave.
func threaded(m *matrix.Matrix, vcpus int) {
	set := slices.ContainsFunc(m.Axes, func(x matrix.Axis) bool { return x.Name == gomaxprocs || x.Name == matrix.EnvPrefix+"GOMAXPROCS" })
	if p, ok := m.Scenario.Params[gomaxprocs]; set || !ok || !p.Optional {
		return
	}
	threads := strconv.Itoa(max(vcpus, 2))
	m.Axes = append(m.Axes, matrix.Axis{Name: gomaxprocs, Values: []string{threads}})
	m.Set = append(m.Set, matrix.AxisFlag(gomaxprocs, threads))
}

// gomaxprocs is the parameter of a program that has no scenario, see scenarios.Of.
const gomaxprocs = "gomaxprocs"

// like is a hunt for trials that end like a past one, which has failed.
func (a *app) like(ctx context.Context, p *pastTrial) (*matrix.Matrix, func(journal.Trial) bool, error) {
	if !p.hung() && !runner.Failed(p.trial.Trial) {
		return nil, nil, usage.New(fmt.Errorf("trial %d did not fail: there is nothing to hunt for", p.trial.N), "")
	}
	s, err := a.scenarioOf(p.run)
	if err != nil {
		return nil, nil, err
	}
	kernel := p.run.KernelOf(p.cell())
	if err := a.reuseTree(ctx, p.run, kernel); err != nil {
		return nil, nil, err
	}
	a.cfg.Go, a.cfg.Kernel = p.run.Go, kernel.Asked
	a.cfg.CPU, a.cfg.Memory = p.run.Guest.CPU, p.run.Guest.Memory
	set := []matrix.Flag{{Name: matrix.KeyTimeout, Value: p.run.Timeout.String()}}
	for _, axis := range p.run.Axes {
		if value, ok := p.cell().Axes[axis.Name]; ok && !matrix.HuntChooses(axis.Name) {
			set = append(set, matrix.AxisFlag(axis.Name, value))
		}
	}
	m, err := a.search(s, mostHunted, 1, set)
	if err != nil {
		return nil, nil, err
	}
	threaded(m, p.trial.Schedule.VCPUs)
	return m, func(t journal.Trial) bool { return t.Title == p.trial.Title }, nil
}

// mostHunted is the number of trials after which a hunt gives up.
const mostHunted = 100_000

// carryOutHunt runs a hunted matrix, says what was found, and shows that it
// repeats.
func (a *app) carryOutHunt(ctx context.Context, m *matrix.Matrix, wanted func(journal.Trial) bool, f huntFlags) error {
	h := &hunting{wanted: wanted, enough: f.enough, limit: f.limit}
	start := time.Now()
	dir, err := a.execute(ctx, experiment{matrix: m, guests: f.guests, json: f.json, hunt: h})
	var silent silentError
	if errors.As(err, &silent) && silent.code == exitInfra && len(h.found) > 0 {
		err = nil // some trial gave no result, but the hunt has
	}
	if err != nil {
		return err
	}
	if len(h.found) == 0 {
		fmt.Fprintf(a.stderr, "lab: nothing found in %d trials and %v\n", h.trials, time.Since(start).Round(time.Second))
		fmt.Fprintf(a.stderr, "hint: that is no proof of absence; --limit (%v) and --trials (%d) let the hunt go on for longer\n", f.limit, m.Trials)
		return silentError{exitDiffers}
	}
	if f.json {
		return nil
	}
	fmt.Fprintf(a.stdout, "\nfound after %v; again, exactly:\n", time.Since(start).Round(100*time.Millisecond))
	for _, t := range h.found {
		fmt.Fprintf(a.stdout, "  lab replay %s/%d\n", filepath.Base(dir), t.N)
	}
	fmt.Fprintln(a.stdout)
	return a.replay(ctx, fmt.Sprintf("%s/%d", dir, h.found[0].N), replayFlags{times: 1})
}
