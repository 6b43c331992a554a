package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"ghostlab/kernels"
	"ghostlab/lab/config"
	"ghostlab/lab/host"
	"ghostlab/lab/journal"
	"ghostlab/lab/live"
	"ghostlab/lab/matrix"
	"ghostlab/lab/progress"
	"ghostlab/lab/qemu"
	"ghostlab/lab/store"
	"ghostlab/lab/usage"
	"ghostlab/lab/vm"
)

// app is what every verb needs.
type app struct {
	stdout, stderr io.Writer
	stdin          io.Reader
	cfg            *config.Config
	origins        []config.Origin
	args           []string // of the command line
	verbose        bool
	trust          bool         // follow what a run from elsewhere names
	events         *live.Events // nil unless asked for
	eventsFile     *eventsFile  // nil for stdout
	started        bool         // the command line is right, a verb has begun
}

func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) error {
	a := &app{args: args, stdin: stdin, stdout: stdout, stderr: stderr}
	eventsTo := ""
	root := &cobra.Command{
		Use:   "lab",
		Short: "Reproduce crashes of Go programs that occur on ARM64 servers and nowhere else",
		Long: `lab boots real ARM64 Linux kernels in QEMU, runs a Go reproducer over a matrix of
parameters, and says how often it crashed and what that depends on.

A scenario is a Go program that reproduces something. A matrix names a scenario and
values of its parameters: each combination of values is a cell, each execution of the
program a trial.

Exit codes: 0 as expected, 1 the result differs from what was expected, 2 wrong use
or bad input, 3 infrastructure failed, 130 interrupted.`,
		Example: `  lab doctor                                  what this host lacks
  lab try ./queue -run TestClose              any package's program or tests
  lab run scenarios/ghost-map/matrix.yaml     run a matrix
  lab show                                    the newest run again
  lab replay 17                               a deterministic trial again, exactly
  lab explain 17                              both sides of the race behind a crash
  lab debug ghost-map                         a paused guest for gdb`,
		SilenceErrors: true,
		SilenceUsage:  true,
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			var err error
			if a.cfg, a.origins, err = config.Load(cmd.Flags(), os.Environ()); err != nil {
				return err
			}
			a.started = true
			return a.openEvents(eventsTo)
		},
	}
	config.AddFlags(root.PersistentFlags())
	root.PersistentFlags().BoolVarP(&a.verbose, "verbose", "v", false, "print the QEMU command of each guest, ready to paste")
	root.PersistentFlags().StringVar(&eventsTo, "json-events", "", "write what happens to this `file`, an object a line; - is stdout, in the place of the result")
	root.CompletionOptions.HiddenDefaultCmd = true
	root.AddCommand(a.tryCommand(), a.runCommand(), a.mergeCommand(), a.showCommand(), a.reportCommand(), a.replayCommand(), a.huntCommand(), a.explainCommand(), a.buildCommand(), a.debugCommand(), a.psCommand(), a.attachCommand(), a.dumpCommand(), a.inspectCommand(), a.shellCommand(), a.doctorCommand(), a.configCommand(), a.schemaCommand())
	root.SetArgs(goStyle(root, args))
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	if err != nil && ctx.Err() != nil && !as[silentError](err) && !as[*journal.WriteError](err) {
		// Ctrl-C on a terminal ends lab's children too: what became of them is
		// not the cause. What could not be kept is no child's.
		err = ctx.Err()
	}
	if a.events != nil {
		a.endEvents(err)
	}
	if err != nil && !a.started && !usage.IsBadInput(err) {
		return usage.New(err, "`lab --help` lists the commands, `lab COMMAND --help` explains one")
	}
	return err
}

// open returns the store and the place for progress.
func (a *app) open() (*store.Store, *progress.Output, error) {
	st, err := store.Open(a.cfg.Cache)
	if err != nil {
		return nil, nil, err
	}
	out := progress.New(a.stderr)
	out.Watch = a.events.Build
	st.Waiting = func(kind string) { out.Printf("another lab is making the same %s; waiting for it", kind) }
	return st, out, nil
}

// skipped says that a run among others cannot be read.
func (a *app) skipped(err error) { fmt.Fprintf(a.stderr, "lab: skipped: %v\n", err) }

// kernel returns the kernel the settings ask for.
func (a *app) kernel(ctx context.Context, st *store.Store, out *progress.Output, retry bool) (*kernels.Kernel, error) {
	return a.ensureKernel(ctx, st, out, a.kernelOptions(retry))
}

func (a *app) kernelOptions(retry bool) kernels.Options {
	return kernels.Options{
		Series:       a.cfg.Kernel,
		Source:       a.cfg.KernelSource,
		StandIn:      a.cfg.StandIn,
		CrossCompile: a.cfg.CrossCompile,
		Jobs:         a.cfg.Jobs,
		Retry:        retry,
	}
}

// machine is the guest that the settings describe.
func (a *app) machine(version string) vm.Config {
	return vm.Config{
		QEMU: a.cfg.QEMU, Version: version, CPU: a.cfg.CPU, VCPUs: a.cfg.CPUs, Memory: a.cfg.Memory,
		Engine: vm.Engine{Accelerator: qemu.HostAccelerator()},
	}
}

// guests is how many run at once: what was asked for, or as many of the cells'
// largest as the host has cores and memory for. A deterministic guest takes one core,
// whatever its vCPUs.
func (a *app) guests(asked int, m *matrix.Matrix, cells []matrix.Cell, machine vm.Config) int {
	if asked > 0 {
		return asked
	}
	cores, memory := 1, 1
	for _, c := range cells {
		memory = max(memory, c.Memory(machine.Memory))
		if m.EngineOf(c) != matrix.Deterministic {
			cores = max(cores, c.VCPUs(machine.VCPUs))
		}
	}
	n := a.cfg.Jobs / cores
	if free := host.FreeMemory(); free > 0 {
		// A running guest and the next one, prepared.
		n = min(n, free/(2*memory))
	}
	return max(1, n)
}

// exactly is cobra.ExactArgs with a message that names what is missing.
func exactly(names ...string) cobra.PositionalArgs { return arguments(len(names), names) }

// atMost is for verbs that do with fewer.
func atMost(names ...string) cobra.PositionalArgs { return arguments(0, names) }

func arguments(least int, names []string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) >= least && len(args) <= len(names) {
			return nil
		}
		want := strings.Join(names, " and ")
		switch {
		case want == "":
			want = "no arguments"
		case least == 0:
			want = "at most " + want
		}
		return usage.New(fmt.Errorf("%s: want %s, got %d", cmd.Name(), want, len(args)),
			"usage: "+cmd.UseLine())
	}
}
