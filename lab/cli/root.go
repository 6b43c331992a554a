package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"ghostlab/lab/config"
	"ghostlab/lab/experiment"
	"ghostlab/lab/journal"
	"ghostlab/lab/live"
	"ghostlab/lab/progress"
	"ghostlab/lab/provision"
	"ghostlab/lab/rerun"
	"ghostlab/lab/session"
	"ghostlab/lab/store"
	"ghostlab/lab/terminal"
	"ghostlab/lab/usage"
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

// provider returns what makes guests, as the settings say. Close its Out in the end.
func (a *app) provider() (provision.Provider, error) {
	st, err := store.Open(a.cfg.Cache)
	if err != nil {
		return provision.Provider{}, err
	}
	out := progress.New(a.stderr)
	out.Watch = a.events.Build
	st.Waiting = func(kind string) { out.Printf("another lab is making the same %s; waiting for it", kind) }
	return provision.Provider{Settings: *a.cfg, Store: st, Out: out, Trust: a.trust}, nil
}

// lab returns what runs experiments. Close its Out in the end.
func (a *app) lab() (experiment.Lab, error) {
	p, err := a.provider()
	return experiment.Lab{Provider: p, Version: labVersion(), Events: a.events, Verbose: a.verbose}, err
}

// host returns what sessions have. Close its Out in the end.
func (a *app) host() (session.Host, error) {
	p, err := a.provider()
	return session.Host{Provider: p, Streams: terminal.Streams{In: a.stdin, Out: a.stdout, Err: a.stderr}, Verbose: a.verbose}, err
}

// past returns the trial of that name.
func (a *app) past(name string) (*rerun.Past, error) { return rerun.Find(a.cfg.Runs, name, a.skipped) }

// skipped says that a run among others cannot be read.
func (a *app) skipped(err error) { fmt.Fprintf(a.stderr, "lab: skipped: %v\n", err) }

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
