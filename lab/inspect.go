package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"ghostlab/gdb/ends"
	"ghostlab/gdb/inspect"
	"ghostlab/gdb/rsp"
	"ghostlab/kernels"
	"ghostlab/lab/vm"
)

func (a *app) inspectCommand() *cobra.Command {
	var asJSON bool
	var file string
	cmd := &cobra.Command{
		Use:   "inspect [GUEST|RUN/TRIAL]",
		Short: "Show the goroutines of a program that is held at its crash",
		Long: `Take a core of the program in a guest that is held at its crash, and show its
goroutines, their calls and arguments; those of a map's functions are its header. The
guest stays as it is. -o keeps the core, which dlv core and gdb open.`,
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
	guest, err := running(name)
	if err != nil {
		return err
	}
	if guest.Held == "" {
		return usageError{fmt.Errorf("guest %s is not held at a crash", guest.Name),
			"`lab run --hold-on crash` holds those that fail; `lab attach` looks at one that runs"}
	}
	if file == "" {
		dir, err := os.MkdirTemp("", "lab-inspect-") // 0700
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		file = filepath.Join(dir, "core")
	}
	if err := writeCore(ctx, guest, file); err != nil {
		return err
	}
	r, err := inspect.Open(file, guest.Program)
	switch {
	case err != nil:
		return err
	case asJSON:
		return json.NewEncoder(a.stdout).Encode(r)
	}
	return r.Text(a.stdout)
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
