package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/klauspost/compress/zstd"
	"github.com/spf13/cobra"

	"ghostlab/gdb/ends"
	"ghostlab/gdb/inspect"
	"ghostlab/gdb/rsp"
	"ghostlab/kernels"
	"ghostlab/lab/runner"
	"ghostlab/lab/vm"
)

func (a *app) inspectCommand() *cobra.Command {
	var asJSON bool
	var file string
	cmd := &cobra.Command{
		Use:   "inspect [GUEST|RUN/TRIAL]",
		Short: "Show the goroutines of a program that failed, from a core",
		Long: `Show the goroutines of a program that failed, their calls and arguments; those of a
map's functions are its header. -o keeps the core, which dlv core and gdb open. It is

- the one that was kept with a trial of the parallel engine, where the matrix says
  "collect: [core]",
- taken now, of a guest that is held at its crash and stays as it is, or
- taken now, of a deterministic trial of one vCPU, which is replayed to its end: no core
  of it is kept. Of one with several vCPUs there is none, as the breakpoint in the
  guest's kernel could make it another run.`,
		Example: `  lab run matrix.yaml --hold-on crash &
  lab inspect                            the guest that is held at a crash
  lab inspect 20261124-020841-ghost-map/17 --json
  lab inspect 17                         trial 17 of the newest run
  lab inspect -o repro.core`,
		Args: atMost("one guest or trial"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.inspect(cmd.Context(), strings.Join(args, ""), file, asJSON)
		},
	}
	cmd.Flags().StringVarP(&file, "output", "o", "", "`file` to keep the core in")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON document")
	return cmd
}

func (a *app) inspect(ctx context.Context, name, file string, asJSON bool) error {
	dir, remove, err := vm.Scratch()
	if err != nil {
		return err
	}
	defer remove()
	if file == "" {
		file = filepath.Join(dir, "core")
	}
	program, err := a.coreOf(ctx, name, file)
	if err != nil {
		return err
	}
	r, err := inspect.Open(file, program)
	switch {
	case err != nil:
		return err
	case asJSON:
		return json.NewEncoder(a.stdout).Encode(r)
	}
	return r.Text(a.stdout)
}

// coreOf writes the core of a held guest or of a past trial to a file, and returns
// the program.
func (a *app) coreOf(ctx context.Context, name, file string) (program string, err error) {
	guest, err := running(name)
	if err == nil && guest.Held != "" {
		return guest.Program, writeCore(ctx, guest, file)
	}
	past, missing := a.past(name)
	switch {
	case err == nil && (name == "" || missing != nil):
		return "", usageError{fmt.Errorf("guest %s is not held at a crash", guest.Name),
			"`lab run --hold-on crash` holds those that fail; `lab attach` looks at one that runs"}
	case name == "":
		return "", err
	case missing != nil:
		return "", missing
	}
	if !runner.Failed(past.trial.Trial) {
		return "", &passedError{past}
	}
	if past.trial.Schedule.Deterministic() {
		return a.replayedCore(ctx, past, file)
	}
	return a.keptCore(ctx, past, file)
}

// keptCore unpacks the core that was kept with a trial.
func (a *app) keptCore(ctx context.Context, past *pastTrial, file string) (program string, err error) {
	core, ok := past.trial.Evidence[runner.CoreFile]
	if !ok {
		return "", usageError{fmt.Errorf("no core of trial %d was kept", past.trial.N),
			"a matrix with \"collect: [console, core]\" keeps them;\n" +
				"trials of the deterministic engine with one vCPU need none"}
	}
	st, out, err := a.open()
	if err != nil {
		return "", err
	}
	defer out.Close()
	img, err := a.pastImage(ctx, past, st, out)
	if err != nil {
		return "", err
	}
	r, err := zstd.NewReader(bytes.NewReader(core))
	if err != nil {
		return "", err
	}
	defer r.Close()
	f, err := os.Create(file)
	if err != nil {
		return "", err
	}
	defer f.Close()
	if _, err := io.Copy(f, r); err != nil {
		return "", fmt.Errorf("the core of trial %d: %w", past.trial.N, err)
	}
	return img.Program, f.Close()
}

// replayedCore runs a deterministic trial to its end once more, and takes the
// core there.
func (a *app) replayedCore(ctx context.Context, past *pastTrial, file string) (program string, err error) {
	if several := (*runner.VCPUsError)(nil); errors.As(past.backwards(), &several) {
		return "", &breakpointError{several}
	}
	t, err := a.openPast(ctx, past)
	if err != nil {
		return "", err
	}
	defer t.close()
	replay, err := t.open(a)
	if err != nil {
		return "", err
	}
	defer replay.Close()
	task := t.out.Steps("replay", 1)
	defer task.End()
	place, err := ends.Find(t.image.Kernel.Vmlinux())
	if err != nil {
		return "", err
	}
	stub, err := rsp.Dial(ctx, replay.GDB())
	if err != nil {
		return "", err
	}
	defer stub.Close()
	found, err := place.Await(ctx, stub, func() (bool, error) { return replay.Begun(past.trial.N) })
	if err != nil {
		return "", err
	}
	if !found {
		return "", usageError{fmt.Errorf("no program of trial %d ends by itself with a failure: there is no core", past.trial.N),
			"`lab replay --gdb` runs it forwards and backwards"}
	}
	return t.image.Program, keepCore(ctx, place, stub, file)
}

// breakpointError says that a trial cannot be stopped where it fails.
type breakpointError struct{ several *runner.VCPUsError }

func (e *breakpointError) Error() string {
	return fmt.Sprintf("trial %d ran with %d vCPUs, whose turns a breakpoint in the guest could change: no core can be taken of it", e.several.Trial, e.several.VCPUs)
}

// Hint says what to do about it.
func (e *breakpointError) Hint() string {
	return "`lab explain` searches for its signature on one vCPU, and `lab inspect` opens what it finds;\n" +
		"`lab run --engine parallel --set collect=console,core` keeps cores of guests with several"
}

// writeCore writes a core of the program that the guest is held at.
func writeCore(ctx context.Context, guest vm.Live, file string) error {
	k, err := kernels.Open(guest.Kernel)
	if err != nil {
		return err
	}
	place, err := ends.Find(k.Vmlinux())
	if err != nil {
		return err
	}
	stub, err := rsp.Dial(ctx, guest.GDB())
	if err != nil {
		return err
	}
	defer stub.Close()
	if err := stub.Select(ctx, guest.CPU); err != nil {
		return err
	}
	return keepCore(ctx, place, stub, file)
}

// keepCore writes a core of the program that a machine is stopped at.
func keepCore(ctx context.Context, place *ends.Place, stub *rsp.Client, file string) error {
	f, err := os.OpenFile(file, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := place.Core(ctx, stub, f); err != nil {
		return err
	}
	return f.Close()
}
