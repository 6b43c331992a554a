package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"ghostlab/lab/matrix"
	"ghostlab/scenarios"
)

type runFlags struct {
	trials, guests    int
	engine, isolation string
	seed              uint64
	verify            float64
	yes               bool
	json              bool
}

func (a *app) runCommand() *cobra.Command {
	var f runFlags
	cmd := &cobra.Command{
		Use:   "run MATRIX.yaml",
		Short: "Run a matrix and say how often each cell crashed",
		Long: `Run a matrix and say how often each cell crashed. Ctrl-C ends the run and keeps the
trials that have finished. A matrix is a file such as

  scenario: ghost-map
  trials: 100            # of each cell
  axes:
    gomaxprocs: [1, 2]   # a parameter of the scenario; also go, vcpus,
                         # engine, shift and env.NAME

Flags win over what the file says.`,
		Example: `  lab run scenarios/ghost-map/matrix.yaml
  lab run matrix.yaml --trials 500 --go 1.24.6
  lab run matrix.yaml --kernel-source ~/src/linux --json > result.json`,
		Args: exactly("a matrix file"),
		RunE: func(cmd *cobra.Command, args []string) error { return a.run(cmd, args[0], f) },
	}
	f.add(cmd.Flags())
	return cmd
}

// add defines the flags of all verbs that run a matrix.
func (f *runFlags) add(flags *pflag.FlagSet) {
	flags.IntVarP(&f.trials, "trials", "n", 100, "`number` of trials of each cell")
	flags.IntVarP(&f.guests, "guests", "j", 0, "`number` of guests at once (default: what the cores and the memory allow)")
	flags.StringVar(&f.engine, "engine", matrix.Parallel, "`name` of the engine, parallel or deterministic")
	flags.StringVar(&f.isolation, "isolation", matrix.Fork, "`kind` of isolation, fork, process or boot")
	flags.Uint64Var(&f.seed, "seed", 1, "`seed` of the order and of each trial")
	flags.Float64Var(&f.verify, "verify", 2, "`percentage` of deterministic trials that are run twice and compared")
	flags.BoolVar(&f.yes, "yes", false, fmt.Sprintf("run a matrix of more than %d trials", matrix.Most))
	flags.BoolVar(&f.json, "json", false, "print the result as one JSON document")
}

func (a *app) run(cmd *cobra.Command, file string, f runFlags) error {
	m, err := a.matrix(file)
	if err != nil {
		return err
	}
	if err := f.override(cmd, m); err != nil {
		return err
	}
	if n := m.Size(); n > matrix.Most && !f.yes {
		return &matrix.SizeError{Trials: n}
	}
	_, err = a.execute(cmd.Context(), experiment{matrix: m, file: file, guests: f.guests, verify: f.verify / 100, json: f.json})
	return err
}

// override puts the flags given in the place of the file's values.
func (f runFlags) override(cmd *cobra.Command, m *matrix.Matrix) error {
	changed := cmd.Flags().Changed
	wrong := func(flag, want string, got any) error {
		return usageError{fmt.Errorf("--%s: want %s, got %v", flag, want, got), ""}
	}
	if m.Search == matrix.Hunt && (changed("engine") || changed("isolation")) {
		return usageError{errors.New("--engine, --isolation: the matrix is a hunt (search: hunt), which chooses them"), ""}
	}
	if changed("trials") {
		if f.trials < 1 {
			return wrong("trials", "at least 1", f.trials)
		}
		m.Trials = f.trials
	}
	if changed("engine") {
		if f.engine != matrix.Parallel && f.engine != matrix.Deterministic {
			return wrong("engine", "parallel or deterministic", f.engine)
		}
		m.Engine = f.engine
	}
	if changed("isolation") {
		switch f.isolation {
		case matrix.Fork, matrix.Process, matrix.Boot:
			m.Isolation = f.isolation
		default:
			return wrong("isolation", "fork, process or boot", f.isolation)
		}
	}
	if changed("seed") {
		m.Seed = f.seed
	}
	if f.guests < 0 {
		return wrong("guests", "at least 1", f.guests)
	}
	if f.verify < 0 || f.verify > 100 {
		return wrong("verify", "a percentage", f.verify)
	}
	return nil
}

// matrix reads a matrix file and the scenario it names.
func (a *app) matrix(file string) (*matrix.Matrix, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, usageError{err, "name a matrix file, such as scenarios/ghost-map/matrix.yaml"}
	}
	return matrix.Parse(file, text, func(name string) (*scenarios.Scenario, error) {
		return scenarios.Find(a.cfg.Scenarios, name)
	})
}
