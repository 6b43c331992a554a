package session

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"al.essio.dev/pkg/shellescape"

	"ghostlab/images"
	"ghostlab/initramfs"
	"ghostlab/initramfs/uroot"
	"ghostlab/initramfs/wire"
	"ghostlab/lab/journal"
	"ghostlab/lab/terminal"
	"ghostlab/lab/vm"
)

// trialScript is a program of the shell's guest: the trial's command.
const trialScript = "/bin/trial"

// Shell runs a shell in a guest on the user's terminal. Of an image with a kernel alone
// it is a shell with no program; else command is what its script "trial" runs. share,
// when set, is a folder of the host's that the guest sees.
func (h Host) Shell(ctx context.Context, img *images.Image, command journal.Command, share string) error {
	dir, remove, err := vm.Scratch()
	if err != nil {
		return err
	}
	defer remove()
	argv, files, err := h.script(dir)
	if err != nil {
		return err
	}
	typed := files == nil
	cfg := h.machine(ctx)
	if cfg.Initramfs, err = h.shellArchive(ctx, dir, img, command, files); err != nil {
		return err
	}
	cfg.Kernel, cfg.Dir, cfg.Terminal, cfg.Share = img.Kernel.Image(), dir, true, share
	cfg.About = vm.About{Run: "shell", Program: img.Program, Go: img.Manifest.Go}
	cols, rows := h.Streams.Size()
	env := append([]string{"PATH=/bin:" + uroot.Path, "TERM=" + termName()}, without(command.Env, "PATH")...)
	cfg.Spec = wire.Spec{
		Console: &wire.Size{Cols: cols, Rows: rows},
		Trials:  []wire.Trial{{ID: 1, Argv: argv, Env: env}},
	}
	guest, _, err := h.prepare(ctx, cfg)
	if err != nil {
		return err
	}
	defer guest.Close()
	if typed {
		h.Out.Printf("a shell in Linux %s; exit, Ctrl-D or Ctrl-A x ends it", img.Kernel.Manifest.Version)
	}
	h.Out.Close()
	return h.typeOn(ctx, guest)
}

// script returns the shell's command line: on a terminal the shell alone, else
// with what the input holds for its script.
func (h Host) script(dir string) (argv []string, files []initramfs.File, err error) {
	argv = []string{uroot.Shell}
	if h.Streams.Terminal() {
		return argv, nil, nil
	}
	text, err := io.ReadAll(h.Streams.In)
	if err != nil {
		return nil, nil, err
	}
	const inGuest = "/bin/script"
	path := filepath.Join(dir, "script")
	return append(argv, inGuest), []initramfs.File{{Name: inGuest, Path: path}}, os.WriteFile(path, text, 0o600)
}

// typeOn connects the user's terminal to the guest's console until either ends.
func (h Host) typeOn(ctx context.Context, guest *vm.Guest) error {
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
	err = terminal.Connect(ctx, console, h.Streams, func(cols, rows int) { guest.Resize(wire.Size{Cols: cols, Rows: rows}) })
	if errors.Is(err, terminal.ErrQuit) || ctx.Err() != nil {
		end()
		<-ended
		fmt.Fprintln(h.Streams.Err)
		return ctx.Err()
	}
	return <-ended // QEMU has hung up: the guest has ended or will
}

// shellArchive writes the shell's initramfs: u-root's commands, and over them
// init, the program and the script that runs it.
func (h Host) shellArchive(ctx context.Context, dir string, img *images.Image, command journal.Command, files []initramfs.File) (string, error) {
	task := h.Out.Steps("u-root's commands", 0)
	commands, err := uroot.Archive(ctx, h.Store)
	task.End()
	if err != nil {
		return "", err
	}
	archives := []string{commands}
	if img.Program == "" {
		init, err := initramfs.Init(ctx, h.Store)
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

// termName is the kind of the user's terminal.
func termName() string {
	if t := os.Getenv("TERM"); t != "" {
		return t
	}
	return "dumb"
}
