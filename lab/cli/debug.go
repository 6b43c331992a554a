package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"ghostlab/lab/matrix"
	"ghostlab/lab/session"
	"ghostlab/lab/usage"
)

type debugFlags struct {
	set, breaks []string
	engine      string
	run         string
	seed        uint64
	noGDB, dlv  bool
	noOptimize  bool
}

func (a *app) debugCommand() *cobra.Command {
	var f debugFlags
	cmd := &cobra.Command{
		Use:   "debug SCENARIO|./PACKAGE [-- ARGUMENTS]",
		Short: "Boot a guest that waits for gdb before its first instruction",
		Long: `Boot a guest that waits before its first instruction, and start gdb on it. That gdb
sees the kernel and the Go program with their symbols and sources, and a back trace
goes on from kernel to goroutine. The guest runs the program once and then stands where
it ended, until gdb leaves. The kernel's lx- commands work where it is stopped in the kernel; in the program
"in-kernel lx-ps" does the same.

With --no-gdb the command to paste into another terminal is printed, and Ctrl-C here
ends the guest.

Guests are deterministic: the same session stops at the same places with the same
values. With more than one vCPU breakpoints themselves move the schedule, to one that
repeats too.

With --dlv Delve's server, a release that understands the program's Go, runs in the
guest instead, and a port of this host's loopback interface leads to it.`,
		Example: `  lab debug ghost-map --break runtime.mapassign_fast64 --break handle_mm_fault
  lab debug ghost-map --set gomaxprocs=1 --set key_space=growing
  lab debug ./cmd/server --no-gdb -- -listen :8080
  lab debug ghost-map --dlv --no-optimize

in gdb: continue, backtrace, info goroutines, in-kernel lx-ps`,
		Args: func(cmd *cobra.Command, args []string) error {
			before := cmd.ArgsLenAtDash()
			if before < 0 {
				before = len(args)
			}
			return exactly("a scenario or a package")(cmd, args[:before])
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.debug(cmd.Context(), args[0], args[1:], f)
		},
	}
	cmd.Flags().StringArrayVar(&f.set, "set", nil, "a parameter of the scenario and its value, as `name=value`; may be repeated")
	cmd.Flags().StringArrayVar(&f.breaks, "break", nil, "a `function` of the program or the kernel to stop at; may be repeated")
	cmd.Flags().StringVar(&f.run, "run", "", "debug the package's tests that match the `expression`, as go test does")
	cmd.Flags().BoolVar(&f.noGDB, "no-gdb", false, "print gdb's command and wait")
	cmd.Flags().StringVar(&f.engine, "engine", matrix.Deterministic, "`name` of the engine, deterministic or parallel")
	cmd.Flags().Uint64Var(&f.seed, "seed", 1, "`seed` of the guest's random numbers and addresses")
	cmd.Flags().BoolVar(&f.dlv, "dlv", false, "run Delve in the guest, not gdb on the host")
	cmd.Flags().BoolVar(&f.noOptimize, "no-optimize", false, "compile the program with -gcflags=all=-N -l: all variables, another timing")
	return cmd
}

func (a *app) debug(ctx context.Context, name string, args []string, f debugFlags) error {
	if f.engine != matrix.Deterministic && f.engine != matrix.Parallel {
		return usage.New(fmt.Errorf("--engine: want deterministic or parallel, got %q", f.engine), "")
	}
	p, settings, err := a.debuggee(ctx, name, f.run, args, f.set)
	if err != nil {
		return err
	}
	if f.dlv && (f.noGDB || len(f.breaks) > 0) {
		return usage.New(errors.New("--dlv: --no-gdb and --break are gdb's"), "set break points in Delve's client")
	}
	h, err := a.host()
	if err != nil {
		return err
	}
	defer h.Out.Close()
	h.Provider = h.With(settings)
	p.Source.NoOptimize = f.noOptimize
	return h.Debug(ctx, p, session.Debugging{Breaks: f.breaks, Deterministic: f.engine == matrix.Deterministic, Seed: f.seed, NoGDB: f.noGDB, Delve: f.dlv})
}
