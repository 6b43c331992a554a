package cli

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"ghostlab/images"
	"ghostlab/initramfs/wire"
	"ghostlab/lab/journal"
	"ghostlab/lab/provision"
	"ghostlab/lab/rerun"
	"ghostlab/lab/usage"
	"ghostlab/lab/vm"
)

type shellFlags struct {
	set   []string
	share string
}

func (a *app) shellCommand() *cobra.Command {
	var f shellFlags
	cmd := &cobra.Command{
		Use:   "shell [SCENARIO|RUN/TRIAL|./PACKAGE]",
		Short: "A shell in a guest",
		Long: `Boot a guest with u-root's commands and a shell, debugfs and tracefs mounted. With a
scenario, a package or a trial of a past run its program is /repro, and the command
"trial" runs it as a trial would, with the same arguments and environment.

Keys go to the guest, Ctrl-C too, and so does the window's size. ` + "`exit`" + `, Ctrl-D or
` + "`poweroff`" + ` ends the guest, and so does Ctrl-A x. The shell is small: it has pipes, loops
and background commands, no history and no job control. --share shows a folder of this
host at /share in the guest, both ways and at once.

Where the input is no terminal it is the shell's script.

The first time u-root's commands are fetched and compiled, which takes a minute.`,
		Example: `  lab shell
  lab shell ghost-map --set gomaxprocs=2 --share /tmp/out
  lab shell 20261124-020841-ghost-map/17
  echo 'trial; dmesg' | lab shell ghost-map

in the guest:
  trial
  cat /sys/kernel/debug/lab_fault/records
  cp /proc/vmallocinfo /share`,
		Args: atMost("one scenario, package or trial"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.shell(cmd.Context(), strings.Join(args, ""), f)
		},
	}
	cmd.Flags().StringArrayVar(&f.set, "set", nil, "a parameter of the scenario and its value, as `name=value`; may be repeated")
	a.trustFlag(cmd.Flags())
	cmd.Flags().StringVar(&f.share, "share", "", "a `folder` of this host to show at "+wire.SharePath)
	return cmd
}

func (a *app) shell(ctx context.Context, name string, f shellFlags) error {
	share := ""
	if f.share != "" {
		var err error
		if share, err = filepath.Abs(f.share); err != nil {
			return err
		}
		if info, err := os.Stat(share); err != nil || !info.IsDir() {
			return usage.New(fmt.Errorf("--share: %s is not a folder", f.share), "")
		}
	}
	vm.CleanStale()
	h, err := a.host()
	if err != nil {
		return err
	}
	defer h.Out.Close()
	img, command, err := a.shellImage(ctx, h.Provider, name, f.set)
	if err != nil {
		return err
	}
	return h.Shell(ctx, img, command, share)
}

// shellImage returns the image of what the shell is about, and the command that runs it.
func (a *app) shellImage(ctx context.Context, p provision.Provider, name string, set []string) (*images.Image, journal.Command, error) {
	if name != "" && !isFolder(name) {
		past, err := a.past(name)
		if err == nil {
			img, err := rerun.Image(ctx, p, past)
			return img, past.Run.Commands[past.Trial.Cell], err
		}
		if strings.Contains(name, "/") || isNumber(name) {
			return nil, journal.Command{}, err
		}
	}
	k, err := p.Kernel(ctx, false)
	if err != nil {
		return nil, journal.Command{}, err
	}
	if name == "" {
		return &images.Image{Kernel: k}, journal.Command{}, nil
	}
	s, settings, err := a.debuggee(ctx, name, "", nil, set)
	if err != nil {
		return nil, journal.Command{}, err
	}
	img, err := images.Ensure(ctx, p.Store, k, s.Source, settings.Go)
	return img, s.Command, err
}

func isNumber(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }
