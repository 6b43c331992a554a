package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"ghostlab/gdb/dump"
	"ghostlab/gdb/rsp"
	"ghostlab/lab/vm"
)

// dumpFormats are QEMU's options of dump-guest-memory.
var dumpFormats = map[string]string{"elf": "", "kdump": "-z "}

func (a *app) dumpCommand() *cobra.Command {
	var file, format string
	cmd := &cobra.Command{
		Use:   "dump [GUEST|RUN/TRIAL]",
		Short: "Write the memory of a guest that runs now to a file",
		Long: `Write the memory and the registers of a guest that runs now, such as one that is held
at its crash, to a file: ELF, which gdb and drgn open with the kernel's vmlinux, or
kdump's compressed format as QEMU writes it (flattened), which is smaller and meant for
crash, built for arm64; that has not been tried. It has the VMCOREINFO note by which they
know the kernel. The guest is stopped meanwhile, and goes on if it ran.`,
		Example: `  lab run matrix.yaml --hold-on crash &
  lab dump -o guest.elf                  the guest that is held at a crash
  lab dump 20261124-020841-ghost-map/17 -o guest.kdump --format kdump
  drgn -c guest.elf -s vmlinux           lab build kernel says where vmlinux is`,
		Args: atMost("one guest or trial"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.dump(cmd.Context(), strings.Join(args, ""), file, format)
		},
	}
	cmd.Flags().StringVarP(&file, "output", "o", "guest.elf", "`file` to write")
	cmd.Flags().StringVar(&format, "format", "elf", "`name` of the format, elf or kdump")
	return cmd
}

func (a *app) dump(ctx context.Context, name, file, format string) error {
	option, ok := dumpFormats[format]
	if !ok {
		return usageError{fmt.Errorf("--format: want elf or kdump, got %q", format), ""}
	}
	path, err := filepath.Abs(file)
	if err != nil {
		return err
	}
	if strings.ContainsAny(path, " \"\\") {
		return usageError{fmt.Errorf("-o: QEMU's monitor takes no path with a space or a quote in it: %s", path), ""}
	}
	guest, err := running(name)
	if err != nil {
		return err
	}
	if err := dumpMemory(ctx, guest, option+path); err != nil {
		return err
	}
	vmlinux := filepath.Join(guest.Kernel, "vmlinux")
	if format == "elf" {
		if err := dump.MapKernel(path, vmlinux); err != nil {
			return err
		}
	}
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	fmt.Fprintf(a.stdout, "%s  %d MiB, guest %s\n", path, info.Size()>>20, guest.Name)
	fmt.Fprintf(a.stderr, "gdb-multiarch %s %s\n", vmlinux, path)
	return nil
}

// dumpMemory has QEMU write the dump, by way of its gdb stub. A guest that ran
// goes on.
func dumpMemory(ctx context.Context, guest vm.Live, arguments string) error {
	stub, err := rsp.Dial(ctx, guest.GDB())
	if err != nil {
		return err
	}
	defer stub.Close()
	said, err := stub.Monitor(ctx, "dump-guest-memory "+arguments)
	if err == nil && strings.Contains(said, "Error") {
		err = errors.New(strings.TrimSpace(said))
	}
	if err != nil {
		return fmt.Errorf("dump the guest's memory: %w", err)
	}
	if guest.Held != "" {
		return nil // hanging up leaves it where it is
	}
	return stub.Detach(ctx)
}
