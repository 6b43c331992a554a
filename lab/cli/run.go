package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"ghostlab/lab/experiment"
	"ghostlab/lab/matrix"
	"ghostlab/lab/usage"
	"ghostlab/scenarios"
)

type runFlags struct {
	guests    int
	set, only []string
	resume    string
	shard     string
	dry       bool
	verify    float64
	holdOn    string
	holds     int
	yes       bool
	json      bool
}

func (a *app) runCommand() *cobra.Command {
	var f runFlags
	cmd := &cobra.Command{
		Use:   "run MATRIX.yaml",
		Short: "Run a matrix and say how often each cell crashed",
		Long: `Run a matrix and say how often each cell crashed. Ctrl-C, a kill or a full disk ends the
run and keeps the trials that have finished; --resume runs the others, as they would have
been, and refuses where they could not be. A matrix is a file such as

  scenario: ghost-map
  trials: 100            # of each cell
  axes:                  # parameters of the scenario; also go, kernel, vcpus, cpu,
    gomaxprocs: [1, 2]   # memory, engine, shift, isolation and env.NAME
    mmap_align: [none, 2MiB, huge]
  exclude:               # combinations that are left out
    - {gomaxprocs: 1, mmap_align: [2MiB, huge]}
  include:               # cells beside the combinations; an axis that one does
    - {gomaxprocs: 4}    # not name has its default there
  expect:                # what is claimed: exit code 1 where it is unmet
    - {where: {gomaxprocs: 1}, crash: never}
    - {where: {gomaxprocs: [2, 4]}, crash: ">= 20 %", signature: concurrent map}
  stop: {width: 0.2}     # end a cell when its interval is this narrow
  collect: [console]     # what is kept of trials

Other keys are engine, isolation, timeout, shift, search and seed; ` + "`lab schema`" + ` prints
all of them for editors.

A trial that takes longer than its timeout, in the guest's time, is a hang. So is one whose
guest says nothing for two timeouts and 30 s on this host's clock: more with a shift below 3
or with single-stepping, and five times as much where the host gives QEMU little processor
time. Progress on a slow terminal does not count. A QEMU that this host ends or stops gives
no result, and its trials run again: you are told of one that is stopped after 10 s, of one
that uses no processor time after 30 s, and when it will be given up, which is at most a
minute after it was stopped.`,
		Example: `  lab run scenarios/ghost-map/matrix.yaml
  lab run matrix.yaml --set trials=20 --set go=1.23.12,1.24.6 --only gomaxprocs=2
  lab run matrix.yaml --set stop.first=crash --set 'exclude=[{go: 1.24.6}]'
  lab run --resume                     the newest run's missing trials
  lab run matrix.yaml --shard 1/4      a quarter of the trials, for ` + "`lab merge`" + `
  lab run matrix.yaml --kernel-source ~/src/linux --json > result.json`,
		Args: func(cmd *cobra.Command, args []string) error {
			if f.resume != "" {
				return atMost("a run", "a matrix file")(cmd, args)
			}
			return exactly("a matrix file")(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if f.resume != "" {
				return a.resume(cmd, args, f)
			}
			return a.run(cmd, args[0], f)
		},
	}
	cmd.Flags().StringVar(&f.resume, "resume", "", "run the trials that `RUN` lacks; without a name the newest run's")
	cmd.Flags().Lookup("resume").NoOptDefVal = newest
	cmd.Flags().StringVar(&f.shard, "shard", "", "run part `i/n` of the trials only, for lab merge")
	cmd.Flags().StringArrayVar(&f.only, "only", nil, "run cells with this `axis=value` only; commas between alternatives")
	cmd.Flags().BoolVar(&f.dry, "dry-run", false, "say what would be run and built, and how long that takes, and do nothing")
	a.trustFlag(cmd.Flags())
	f.add(cmd.Flags())
	return cmd
}

// add defines the flags of all verbs that run a matrix.
func (f *runFlags) add(flags *pflag.FlagSet) {
	flags.IntP(matrix.KeyTrials, "n", matrix.DefaultTrials, "`number` of trials of each cell")
	flags.String(matrix.KeyEngine, matrix.Parallel, "`name` of the engine, parallel or deterministic")
	flags.String(matrix.KeyIsolation, matrix.Fork, "`kind` of isolation, fork, process or boot")
	flags.Uint64(matrix.KeySeed, 1, "`seed` of the order and of each trial")
	flags.StringArrayVar(&f.set, "set", nil, "a `key=value` of the matrix: a key, or an axis with values and commas between them")
	flags.IntVarP(&f.guests, "guests", "j", 0, "`number` of guests at once (default: what the cores and the memory allow)")
	flags.Float64Var(&f.verify, "verify", 2, "`percentage` of deterministic trials that are run twice and compared")
	flags.StringVar(&f.holdOn, "hold-on", "", "keep the guest of a trial that fails, stopped at its `crash`, for lab attach, inspect and dump; of a deterministic trial it is that of a second run")
	flags.IntVar(&f.holds, "holds", 1, "`number` of guests that --hold-on keeps at once")
	flags.BoolVar(&f.yes, "yes", false, fmt.Sprintf("run a matrix of more than %d trials", matrix.Most))
	flags.BoolVar(&f.json, "json", false, "print the result as one JSON document")
}

// keys are those of a matrix that have a flag, as far as it is given.
func (f *runFlags) keys(flags *pflag.FlagSet) []matrix.Flag {
	var set []matrix.Flag
	for _, name := range []string{matrix.KeyTrials, matrix.KeyEngine, matrix.KeyIsolation, matrix.KeySeed} {
		if x := flags.Lookup(name); x.Changed {
			set = append(set, matrix.Flag{Name: name, Value: x.Value.String(), Words: "flag --" + name})
		}
	}
	return set
}

// settings are the keys of a matrix that flags give: those with a flag of their
// own, and those of --set.
func (f *runFlags) settings(flags *pflag.FlagSet) ([]matrix.Flag, error) {
	set, err := assignments("set", f.set)
	return append(f.keys(flags), set...), err
}

// assignments reads the name=value arguments of a flag.
func assignments(flag string, args []string) (all []matrix.Flag, err error) {
	for _, arg := range args {
		name, value, ok := strings.Cut(arg, "=")
		if !ok {
			return nil, usage.New(fmt.Errorf("--%s: want name=value, got %q", flag, arg), "`lab run --help` has examples")
		}
		all = append(all, matrix.Flag{Name: name, Value: value, Words: "flag --" + flag + " " + arg})
	}
	return all, nil
}

// check checks the flags that are not a matrix's, and its size.
func (f *runFlags) check(m *matrix.Matrix) error {
	switch n := m.Size(); {
	case f.guests < 0:
		return usage.New(fmt.Errorf("--guests: want at least 1, got %d", f.guests), "")
	case f.verify < 0 || f.verify > 100:
		return usage.New(fmt.Errorf("--verify: want a percentage, got %v", f.verify), "")
	case f.holdOn != "" && f.holdOn != holdOnCrash:
		return usage.New(fmt.Errorf("--hold-on: want crash, got %q", f.holdOn), "")
	case f.holds < 1:
		return usage.New(fmt.Errorf("--holds: want at least 1, got %d", f.holds), "")
	case n > matrix.Most && !f.yes && m.Search == "":
		return &matrix.SizeError{Trials: n}
	}
	return nil
}

// part is the shard that is asked for.
func (f *runFlags) part(m *matrix.Matrix) (matrix.Shard, error) {
	if f.shard == "" {
		return matrix.Shard{}, nil
	}
	if m.Search == matrix.Hunt {
		return matrix.Shard{}, usage.New(errors.New("--shard: a hunt has no parts"), "give each host another --seed")
	}
	shard, err := matrix.ParseShard(f.shard)
	if err != nil {
		return shard, usage.New(fmt.Errorf("--shard: %w", err), "")
	}
	return shard, nil
}

func (a *app) run(cmd *cobra.Command, file string, f runFlags) error {
	m, text, err := a.matrix(file, cmd.Flags(), f)
	if err != nil {
		return err
	}
	shard, err := f.part(m)
	if err != nil {
		return err
	}
	if err := f.check(m); err != nil {
		return err
	}
	e := f.experiment(m)
	e.File, e.Text, e.Shard = file, text, shard
	if f.dry {
		return experiment.DryRun(cmd.Context(), a.stdout, *a.cfg, e)
	}
	l, err := a.lab()
	if err != nil {
		return err
	}
	_, err = a.execute(cmd.Context(), l, e, f.json)
	return err
}

// experiment is a matrix with what the flags say of how it is run.
func (f *runFlags) experiment(m *matrix.Matrix) experiment.Experiment {
	return experiment.Experiment{Matrix: m, Guests: f.guests, Holds: f.held(), Verify: f.verify / 100}
}

// matrix reads a matrix file, with what the flags say in the place of its keys.
func (a *app) matrix(file string, flags *pflag.FlagSet, f runFlags) (m *matrix.Matrix, text []byte, err error) {
	if text, err = readMatrix(file); err != nil {
		return nil, nil, usage.New(err, "name a matrix file, such as scenarios/ghost-map/matrix.yaml")
	}
	opt := experiment.MatrixOptions(*a.cfg)
	if opt.Set, err = f.settings(flags); err != nil {
		return nil, nil, err
	}
	if opt.Only, err = assignments("only", f.only); err != nil {
		return nil, nil, err
	}
	m, err = matrix.Parse(file, text, opt)
	return m, text, err
}

// readMatrix reads a matrix file, which may be a pipe, up to a little more than the parser
// takes. A pipe that nobody writes to is empty.
func readMatrix(file string) ([]byte, error) {
	f, err := os.OpenFile(file, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, scenarios.MostYAML+1))
}
