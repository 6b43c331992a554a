package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"al.essio.dev/pkg/shellescape"
	"github.com/spf13/cobra"

	"ghostlab/gdb"
	"ghostlab/gdb/dump"
	"ghostlab/gdb/rsp"
	"ghostlab/lab/rerun"
	"ghostlab/lab/usage"
)

// dumpFormats are QEMU's options of dump-guest-memory.
var dumpFormats = map[string]string{"elf": "", "kdump": "-z "}

func (a *app) dumpCommand() *cobra.Command {
	var file, format string
	cmd := &cobra.Command{
		Use:   "dump [GUEST|RUN/TRIAL]",
		Short: "Write the memory of a guest to a file",
		Long: `Write the memory and the registers of a guest to a file: of one that runs now, such as
one that is held at its crash, or else of a deterministic trial of a past run, which is
run once more to its crash. A guest that runs is stopped meanwhile. The file has the
VMCOREINFO note by which tools know the kernel, and is

- elf, which gdb and drgn open with the kernel's vmlinux, or
- kdump, which is smaller, in the flattened form that QEMU writes: makedumpfile -R makes
  it a plain one. It is for a crash that was built for arm64, which Debian's is not on
  other hosts, so that has not been tried; the drgn of Debian 12 knows kdump files of
  other machines only.

` + guestNames,
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
	a.trustFlag(cmd.Flags())
	cmd.Flags().StringVar(&format, "format", "elf", "`name` of the format, elf or kdump")
	return cmd
}

func (a *app) dump(ctx context.Context, name, file, format string) error {
	option, ok := dumpFormats[format]
	if !ok {
		return usage.New(fmt.Errorf("--format: want elf or kdump, got %q", format), "")
	}
	path, err := filepath.Abs(file)
	if err != nil {
		return err
	}
	if strings.ContainsAny(path, " \"\\") {
		return usage.New(fmt.Errorf("-o: QEMU's monitor takes no path with a space or a quote in it: %s", path), "")
	}
	of, vmlinux, err := a.dumpTo(ctx, name, option+path)
	if err != nil {
		return err
	}
	if format == "elf" {
		if err := dump.MapKernel(path, vmlinux); err != nil {
			return err
		}
	}
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	fmt.Fprintf(a.stdout, "%s  %d MiB, %s\n", path, info.Size()>>20, of)
	fmt.Fprintln(a.stderr, shellescape.QuoteCommand([]string{gdb.Name(), vmlinux, path}))
	return nil
}

// dumpTo has QEMU write the dump of a guest that runs, or else of a past trial at its
// crash. It returns what the dump is of and the kernel's file with symbols.
func (a *app) dumpTo(ctx context.Context, name, arguments string) (of, vmlinux string, err error) {
	if guest, err := a.guest(name); err == nil {
		stub, err := guest.Dial(ctx)
		if err != nil {
			return "", "", err
		}
		defer stub.Close()
		err = dumpMemory(ctx, stub, arguments)
		if err == nil && guest.Held == "" {
			err = stub.Detach(ctx) // hanging up leaves a held one where it is
		}
		return "guest " + guest.Name, filepath.Join(guest.Kernel, "vmlinux"), err
	}
	err = a.lookAtCrash(ctx, name, func(ctx context.Context, c rerun.Crash) error {
		of, vmlinux = "trial "+name+" at its crash", c.Kernel.Vmlinux()
		return dumpMemory(ctx, c.Stub, arguments)
	}, nil)
	return of, vmlinux, err
}

// dumpMemory has QEMU write the dump, by way of its gdb stub.
func dumpMemory(ctx context.Context, stub *rsp.Client, arguments string) error {
	said, err := stub.Monitor(ctx, "dump-guest-memory "+arguments)
	if err == nil && strings.Contains(said, "Error") {
		err = errors.New(strings.TrimSpace(said))
	}
	if err != nil {
		return fmt.Errorf("dump the guest's memory: %w", err)
	}
	return nil
}
