package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"al.essio.dev/pkg/shellescape"
	"github.com/spf13/cobra"

	"ghostlab/images"
	"ghostlab/initramfs"
	"ghostlab/initramfs/uroot"
	"ghostlab/initramfs/wire"
	"ghostlab/lab/journal"
	"ghostlab/lab/progress"
	"ghostlab/lab/store"
	"ghostlab/lab/terminal"
	"ghostlab/lab/usage"
	"ghostlab/lab/vm"
)

// trialScript is a program of the shell's guest: the trial's command.
const trialScript = "/bin/trial"

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
	cfg := a.machine("")
	if f.share != "" {
		dir, err := filepath.Abs(f.share)
		if err != nil {
			return err
		}
		if info, err := os.Stat(dir); err != nil || !info.IsDir() {
			return usage.New(fmt.Errorf("--share: %s is not a folder", f.share), "")
		}
		cfg.Share = dir
	}
	vm.CleanStale()
	st, out, err := a.open()
	if err != nil {
		return err
	}
	defer out.Close()
	img, command, err := a.shellImage(ctx, name, f.set, st, out)
	if err != nil {
		return err
	}
	dir, remove, err := vm.Scratch()
	if err != nil {
		return err
	}
	defer remove()
	streams := terminal.Streams{In: a.stdin, Out: a.stdout, Err: a.stderr}
	argv, files, err := a.script(dir, streams)
	if err != nil {
		return err
	}
	if cfg.Initramfs, err = a.shellArchive(ctx, dir, img, command, files, st, out); err != nil {
		return err
	}
	cfg.Kernel, cfg.Dir, cfg.Terminal = img.Kernel.Image(), dir, true
	cfg.About = vm.About{Run: "shell", Program: img.Program, Go: img.Manifest.Go}
	cfg.Fence = a.fence(ctx, st)
	cols, rows := streams.Size()
	env := append([]string{"PATH=/bin:" + uroot.Path, "TERM=" + termName()}, without(command.Env, "PATH")...)
	cfg.Spec = wire.Spec{
		Console: &wire.Size{Cols: cols, Rows: rows},
		Trials:  []wire.Trial{{ID: 1, Argv: argv, Env: env}},
	}
	guest, _, err := a.prepare(ctx, cfg, out)
	if err != nil {
		return err
	}
	defer guest.Close()
	if files == nil {
		out.Printf("a shell in Linux %s; exit, Ctrl-D or Ctrl-A x ends it", img.Kernel.Manifest.Version)
	}
	out.Close()
	return a.typeOn(ctx, guest, streams)
}

// script returns the shell's command line: on a terminal the shell alone, else
// with what the input holds for its script.
func (a *app) script(dir string, streams terminal.Streams) (argv []string, files []initramfs.File, err error) {
	argv = []string{uroot.Shell}
	if streams.Terminal() {
		return argv, nil, nil
	}
	text, err := io.ReadAll(a.stdin)
	if err != nil {
		return nil, nil, err
	}
	const inGuest = "/bin/script"
	path := filepath.Join(dir, "script")
	return append(argv, inGuest), []initramfs.File{{Name: inGuest, Path: path}}, os.WriteFile(path, text, 0o600)
}

// typeOn connects the user's terminal to the guest's console until either ends.
func (a *app) typeOn(ctx context.Context, guest *vm.Guest, streams terminal.Streams) error {
	console, err := guest.Terminal()
	if err != nil {
		return &vm.InfraError{What: "connect to the guest's console", Err: err}
	}
	defer console.Close()
	running, end := context.WithCancel(ctx)
	defer end()
	begun, ended := make(chan struct{}), make(chan error, 1)
	go func() {
		_, err := guest.Run(running, func(m vm.Message) {
			if m.Kind == wire.Begin {
				close(begun)
			}
		})
		ended <- err
	}()
	select {
	case err := <-ended:
		return err
	case <-begun:
	}
	err = terminal.Connect(ctx, console, streams, func(cols, rows int) { guest.Resize(wire.Size{Cols: cols, Rows: rows}) })
	if errors.Is(err, terminal.ErrQuit) || ctx.Err() != nil {
		end()
		<-ended
		fmt.Fprintln(a.stderr)
		return ctx.Err()
	}
	return <-ended // QEMU has hung up: the guest has ended or will
}

// shellImage is the image of what the shell is about, and the command that runs
// it.
func (a *app) shellImage(ctx context.Context, name string, set []string, st *store.Store, out *progress.Output) (*images.Image, journal.Command, error) {
	if name != "" && !isFolder(name) {
		past, err := a.past(name)
		if err == nil {
			img, err := a.pastImage(ctx, past, st, out)
			return img, past.run.Commands[past.trial.Cell], err
		}
		if strings.Contains(name, "/") || isNumber(name) {
			return nil, journal.Command{}, err
		}
	}
	k, err := a.kernel(ctx, st, out, false)
	if err != nil {
		return nil, journal.Command{}, err
	}
	if name == "" {
		return &images.Image{Kernel: k}, journal.Command{}, nil
	}
	s, err := a.debuggee(ctx, name, "", nil, set)
	if err != nil {
		return nil, journal.Command{}, err
	}
	img, err := images.Ensure(ctx, st, k, s.program, a.cfg.Go)
	return img, s.command, err
}

// shellArchive writes the shell's initramfs: u-root's commands, and over them
// init, the program and the script that runs it.
func (a *app) shellArchive(ctx context.Context, dir string, img *images.Image, command journal.Command, files []initramfs.File, st *store.Store, out *progress.Output) (string, error) {
	task := out.Steps("u-root's commands", 0)
	commands, err := uroot.Archive(ctx, st)
	task.End()
	if err != nil {
		return "", err
	}
	archives := []string{commands}
	if img.Program == "" {
		init, err := initramfs.Init(ctx, st)
		if err != nil {
			return "", err
		}
		files = append(files, initramfs.File{Name: "/init", Path: init})
	} else {
		script := filepath.Join(dir, "trial")
		text := fmt.Sprintf("#!%s\n%sexec %s \"$@\"\n", uroot.Shell, changeDir(command.Dir), shellescape.QuoteCommand(command.Argv))
		if err := os.WriteFile(script, []byte(text), 0o600); err != nil {
			return "", err
		}
		files = append(files, initramfs.File{Name: trialScript, Path: script})
		archives = append(archives, img.Initramfs)
	}
	path := filepath.Join(dir, "initramfs.cpio")
	return path, images.Stack(path, files, archives...)
}

func changeDir(dir string) string {
	if dir == "" {
		return ""
	}
	return "cd " + shellescape.Quote(dir) + "\n"
}

// without is an environment without one of its variables.
func without(env []string, name string) (rest []string) {
	for _, v := range env {
		if !strings.HasPrefix(v, name+"=") {
			rest = append(rest, v)
		}
	}
	return rest
}

func isNumber(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

// termName is the kind of the user's terminal.
func termName() string {
	if t := os.Getenv("TERM"); t != "" {
		return t
	}
	return "dumb"
}
