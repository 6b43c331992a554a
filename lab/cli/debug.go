package cli

import (
	"context"
	"errors"
	"fmt"
	osexec "os/exec"

	"al.essio.dev/pkg/shellescape"
	"github.com/spf13/cobra"

	"ghostlab/gdb"
	"ghostlab/images"
	"ghostlab/initramfs/wire"
	"ghostlab/kernels"
	"ghostlab/lab/matrix"
	"ghostlab/lab/progress"
	"ghostlab/lab/terminal"
	"ghostlab/lab/toolchain"
	"ghostlab/lab/usage"
	"ghostlab/lab/vm"
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
	s, err := a.debuggee(ctx, name, f.run, args, f.set)
	if err != nil {
		return err
	}
	if f.dlv && (f.noGDB || len(f.breaks) > 0) {
		return usage.New(errors.New("--dlv: --no-gdb and --break are gdb's"), "set break points in Delve's client")
	}
	if _, err := gdb.Find(); err != nil && !f.noGDB && !f.dlv {
		return err
	}
	vm.CleanStale()
	st, out, err := a.open()
	if err != nil {
		return err
	}
	defer out.Close()
	k, err := a.kernel(ctx, st, out, false)
	if err != nil {
		return err
	}
	s.program.NoOptimize = f.noOptimize
	img, err := images.Ensure(ctx, st, k, s.program, a.cfg.Go)
	if err != nil {
		return err
	}
	if f.dlv {
		return a.debugDelve(ctx, s, img, f.seed, st, out)
	}
	session, err := a.session(ctx, img.Kernel, a.about("", img, s))
	if err != nil {
		return err
	}
	session.Breaks = f.breaks
	if err := session.Check(); err != nil {
		return err
	}
	dir, remove, err := vm.Scratch()
	if err != nil {
		return err
	}
	defer remove()

	cfg := a.machine("")
	cfg.Kernel, cfg.Initramfs, cfg.Dir = img.Kernel.Image(), img.Initramfs, dir
	cfg.Paused, cfg.Stay = true, !f.noGDB
	cfg.About = a.about("debug", img, s)
	cfg.Fence = a.fence(ctx, st)
	if f.engine == matrix.Deterministic {
		cfg.Engine = vm.Engine{Deterministic: true, Shift: matrix.DefaultShift}
	}
	cfg.Spec = wire.Spec{Trials: []wire.Trial{{ID: 1, Argv: s.command.Argv, Env: s.command.Env, Dir: s.command.Dir, Seed: f.seed}}}
	guest, socket, err := a.prepare(ctx, cfg, out)
	if err != nil {
		return err
	}
	defer guest.Close()
	session.Socket = socket
	command, err := session.Write(dir)
	if err != nil {
		return err
	}
	fmt.Fprintf(a.stdout, "%s\n", shellescape.QuoteCommand(command))
	if f.noGDB {
		out.Printf("the guest waits before its first instruction; paste the line above into another terminal")
		return a.watch(ctx, guest, out)
	}
	out.Close()
	return a.underGDB(ctx, guest, command)
}

// prepare starts the guest of a session. socket is its gdb stub's.
func (a *app) prepare(ctx context.Context, cfg vm.Config, out *progress.Output) (guest *vm.Guest, socket string, err error) {
	cfg.Started = func(byHand, gdb string) {
		socket = gdb
		if a.verbose {
			out.Printf("%s", byHand)
		}
	}
	guest, err = vm.Prepare(ctx, cfg)
	return guest, socket, err
}

// underGDB runs a guest under gdb on the user's terminal. The guest ends with
// gdb, and what its program wrote is printed then.
func (a *app) underGDB(ctx context.Context, guest *vm.Guest, command []string) error {
	running, end := context.WithCancel(ctx)
	defer end()
	said := make(chan []byte, 1)
	go func() {
		var output []byte
		guest.Run(running, func(m vm.Message) { output = append(output, m.Output...) })
		said <- output
	}()
	err := a.gdb(ctx, command)
	end()
	a.stdout.Write(<-said)
	return err
}

// gdb runs gdb on the user's terminal.
func (a *app) gdb(ctx context.Context, command []string) error {
	err := terminal.Run(ctx, osexec.Command(command[0], command[1:]...), terminal.Streams{In: a.stdin, Out: a.stdout, Err: a.stderr})
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if exit := (*osexec.ExitError)(nil); errors.As(err, &exit) && exit.Exited() {
		return nil // gdb's status is that of its last command
	}
	return err
}

// watch follows a guest that somebody else looks at to its end.
func (a *app) watch(ctx context.Context, guest *vm.Guest, out *progress.Output) error {
	end, err := guest.Run(ctx, func(m vm.Message) { a.stdout.Write(m.Output) })
	if err != nil {
		return err
	}
	out.Printf("the guest ended: %s", end.Reason)
	return nil
}

// about is what others may know of a session's guest.
func (a *app) about(what string, img *images.Image, s *debuggee) vm.About {
	return vm.About{Run: what, Program: img.Program, Go: img.Manifest.Go, Source: &s.program}
}

// session describes the debugger session for a guest with that kernel.
func (a *app) session(ctx context.Context, k *kernels.Kernel, of vm.About) (gdb.Session, error) {
	s := gdb.Session{Vmlinux: k.Vmlinux(), Program: of.Program}
	s.KernelPrefix, s.KernelSources = k.Sources()
	var err error
	if s.GOROOT, err = toolchain.GOROOT(ctx, of.Go); err != nil {
		return s, err
	}
	if of.Source == nil {
		return s, nil // they are not known any more
	}
	all, standard, err := toolchain.Folders(ctx, images.Build(a.compiler(*of.Source), of.Go))
	s.Folders = gdb.Outermost(all, standard)
	return s, err
}
