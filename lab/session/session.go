// Package session is interactive guests: gdb, Delve and shells on them, on the user's
// terminal. Which guest, and which past trial, is decided by others.
package session

import (
	"context"
	"errors"
	"fmt"
	"os/exec"

	"ghostlab/gdb"
	"ghostlab/images"
	"ghostlab/kernels"
	"ghostlab/lab/journal"
	"ghostlab/lab/provision"
	"ghostlab/lab/terminal"
	"ghostlab/lab/toolchain"
	"ghostlab/lab/vm"
	"ghostlab/scenarios"
)

// Host is what a session has on this host.
type Host struct {
	provision.Provider
	Streams terminal.Streams
	// Verbose shows each guest's command.
	Verbose bool
}

// Program is what a session is about, and how it is run.
type Program struct {
	Source  scenarios.Program
	Command journal.Command
}

// about is what others may know of a session's guest. what is the kind of session.
func (p Program) about(what string, img *images.Image) vm.About {
	return vm.About{Run: what, Program: img.Program, Go: img.Manifest.Go, Source: &p.Source}
}

// Describe returns the debugger session for a guest with that kernel.
func (h Host) Describe(ctx context.Context, k *kernels.Kernel, of vm.About) (gdb.Session, error) {
	s := gdb.Session{Vmlinux: k.Vmlinux(), Program: of.Program}
	s.KernelPrefix, s.KernelSources = k.Sources()
	var err error
	if s.GOROOT, err = toolchain.GOROOT(ctx, of.Go); err != nil {
		return s, err
	}
	if of.Source == nil {
		return s, nil // they are not known any more
	}
	all, standard, err := toolchain.Folders(ctx, images.Build(provision.Compiler(h.Settings, *of.Source), of.Go))
	s.Folders = gdb.Outermost(all, standard)
	return s, err
}

// machine is the guest of a session, with the plugin that keeps its memory order.
func (h Host) machine(ctx context.Context) vm.Config {
	cfg := provision.Machine(h.Settings, "")
	cfg.Fence = h.Fence(ctx)
	return cfg
}

// Attach runs gdb on a guest that runs now.
func (h Host) Attach(ctx context.Context, guest vm.Live) error {
	if _, err := gdb.Find(); err != nil {
		return err
	}
	k, err := kernels.Open(guest.Kernel)
	if err != nil {
		return err
	}
	s, err := h.Describe(ctx, k, guest.About)
	if err != nil {
		return err
	}
	s.Socket, s.CPU = guest.GDB(), guest.CPU
	return with(s, func(command []string) error {
		stub, err := guest.Dial(ctx)
		if err != nil {
			return err
		}
		stub.Close() // gdb would wait for a stub that serves another
		return h.gdb(ctx, command)
	})
}

// Script is what gdb carries out by itself; the zero value nothing.
type Script struct {
	File string
	// Batch ends gdb after that; its exit code is then an *ExitError.
	Batch bool
}

// GDB runs gdb on the session that was described.
func (h Host) GDB(ctx context.Context, s gdb.Session, script Script) error {
	return with(s, func(command []string) error {
		if script.File != "" {
			command = append(command, "-x", script.File)
		}
		if !script.Batch {
			return h.gdb(ctx, command)
		}
		return h.batch(ctx, append(command, "-batch"))
	})
}

// with writes a session's files for as long as begin runs, which is given the command.
func with(s gdb.Session, begin func(command []string) error) error {
	dir, remove, err := vm.Scratch()
	if err != nil {
		return err
	}
	defer remove()
	command, err := s.Write(dir)
	if err != nil {
		return err
	}
	return begin(command)
}

// gdb runs gdb on the user's terminal.
func (h Host) gdb(ctx context.Context, command []string) error {
	err := terminal.Run(ctx, exec.Command(command[0], command[1:]...), h.Streams)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) && exit.Exited() {
		return nil // gdb's status is that of its last command
	}
	return err
}

// batch runs gdb without a terminal.
func (h Host) batch(ctx context.Context, command []string) error {
	err := terminal.Run(ctx, exec.Command(command[0], command[1:]...), terminal.Streams{Out: h.Streams.Out, Err: h.Streams.Err})
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) && exit.Exited() && ctx.Err() == nil {
		return &ExitError{exit.ExitCode()}
	}
	return err
}

// ExitError is the exit code of a gdb that ran without a terminal.
type ExitError struct{ Code int }

func (e *ExitError) Error() string { return fmt.Sprintf("gdb ended with status %d", e.Code) }
