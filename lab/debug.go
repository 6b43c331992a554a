package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"ghostlab/gdb"
	"ghostlab/images"
	"ghostlab/initramfs/wire"
	"ghostlab/lab/runner"
	"ghostlab/lab/toolchain"
	"ghostlab/lab/vm"
	"ghostlab/scenarios"
)

func (a *app) debugCommand() *cobra.Command {
	var set []string
	cmd := &cobra.Command{
		Use:   "debug SCENARIO",
		Short: "Boot a guest that waits for gdb before its first instruction",
		Long: `Boot a guest that waits for gdb before its first instruction, and print the one
command to paste into another terminal. The guest runs one trial of the scenario and
powers off; Ctrl-C here ends it at once.

In that gdb, kernel and program have their symbols and sources:
  hbreak runtime.mapassign_fast64
  hbreak handle_mm_fault
  continue`,
		Example: `  lab debug ghost-map
  lab debug ghost-map --set gomaxprocs=1 --set key_space=growing`,
		Args: exactly("a scenario"),
		RunE: func(cmd *cobra.Command, args []string) error { return a.debug(cmd.Context(), args[0], set) },
	}
	cmd.Flags().StringArrayVar(&set, "set", nil, "a parameter of the scenario and its value, as `name=value`; may be repeated")
	return cmd
}

func (a *app) debug(ctx context.Context, name string, set []string) error {
	s, err := scenarios.Find(a.cfg.Scenarios, name)
	if err != nil {
		return err
	}
	values, err := s.Values(set)
	if err != nil {
		return usageError{err, "`lab debug --help` has examples"}
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
	img, err := images.Ensure(ctx, st, k, s.Program(), a.cfg.Go)
	if err != nil {
		return err
	}
	goroot, err := toolchain.GOROOT(ctx, a.cfg.Go)
	if err != nil {
		return err
	}
	module, moduleDir, err := toolchain.Module(ctx, a.cfg.Go, s.ReproDir())
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "lab-debug-") // 0700
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)

	session := gdb.Session{Vmlinux: k.Vmlinux(), Program: img.Program, Module: module, ModuleDir: moduleDir, GOROOT: goroot}
	session.KernelPrefix, session.KernelSources = k.Sources()
	program := runner.Command(s, values, nil)
	cfg := a.machine("")
	cfg.Kernel, cfg.Initramfs, cfg.Dir, cfg.Paused = k.Image(), img.Initramfs, dir, true
	cfg.Spec = wire.Spec{Trials: []wire.Trial{{ID: 1, Argv: program.Argv, Env: program.Env}}}
	cfg.Started = func(byHand, socket string) {
		if a.verbose {
			out.Printf("%s", byHand)
		}
		session.Socket = socket
		command, werr := session.Write(filepath.Join(dir, "lab.gdb"))
		if werr != nil {
			err = werr
			return
		}
		fmt.Fprintf(a.stdout, "%s\n", command)
		out.Printf("the guest waits before its first instruction; paste the line above into another terminal")
	}
	end, runErr := vm.Run(ctx, cfg, func(m vm.Message) {
		if m.Kind == wire.End {
			fmt.Fprintf(a.stdout, "%s", m.Output)
		}
	})
	if err != nil || runErr != nil {
		return errors.Join(err, runErr)
	}
	out.Printf("the guest ended: %s", end.Reason)
	return nil
}
