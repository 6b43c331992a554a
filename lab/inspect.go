package main

import (
	"bytes"
	"context"
	"encoding/json"
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
map's functions are its header. The core is the one that was kept with the trial, where
the matrix says "collect: [core]", or is taken now of a guest that is held at its crash,
which stays as it is. -o keeps the core, which dlv core and gdb open.

Cores are taken of trials of the parallel engine: a deterministic one can be run again
under gdb.`,
		Example: `  lab run matrix.yaml --hold-on crash &
  lab inspect                            the guest that is held at a crash
  lab inspect 20261124-020841-ghost-map/17 --json
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
	dir, err := os.MkdirTemp("", "lab-inspect-") // 0700
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
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
	switch {
	case err == nil && guest.Held != "":
		return guest.Program, writeCore(ctx, guest, file)
	case err == nil:
		return "", usageError{fmt.Errorf("guest %s is not held at a crash", guest.Name),
			"`lab run --hold-on crash` holds those that fail; `lab attach` looks at one that runs"}
	case name == "":
		return "", err
	}
	past, err := a.past(name)
	if err != nil {
		return "", err
	}
	if !runner.Failed(past.trial.Trial) {
		return "", &passedError{past}
	}
	core, ok := past.trial.Evidence[runner.CoreFile]
	if !ok {
		return "", usageError{fmt.Errorf("no core of trial %d was kept", past.trial.N),
			"a matrix with \"collect: [console, core]\" keeps them of trials of the parallel engine;\n" +
				"`lab explain` and `lab replay` run a deterministic trial again"}
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

// writeCore writes a core of the program that the guest is held at.
func writeCore(ctx context.Context, guest vm.Live, file string) (err error) {
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
