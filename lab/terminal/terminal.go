// Package terminal lends the user's terminal to a program, or to a guest, and
// takes it back as it was, however that ends.
package terminal

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
	"golang.org/x/term"

	"ghostlab/lab/child"
)

// lastWords is how long a program may take to end when it is asked to.
const lastWords = 2 * time.Second

// Streams are what a program is given.
type Streams struct {
	In       io.Reader
	Out, Err io.Writer
}

// file returns the terminal that the input is, or nil.
func (s Streams) file() *os.File {
	if f, ok := s.In.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		return f
	}
	return nil
}

// Run runs a program on the user's terminal until it ends or the context does.
// On a terminal the program gets the keys, Ctrl-C too; elsewhere it runs like
// any other. The error is the program's: an *exec.ExitError where it failed.
func Run(ctx context.Context, cmd *exec.Cmd, s Streams) error {
	cmd.Stdin, cmd.Stdout, cmd.Stderr = s.In, s.Out, s.Err
	cmd.SysProcAttr = &syscall.SysProcAttr{}
	if tty := s.file(); tty != nil {
		fd := int(tty.Fd())
		saved, err := term.GetState(fd)
		if err != nil {
			return fmt.Errorf("read the terminal's settings: %w", err)
		}
		cmd.SysProcAttr.Foreground, cmd.SysProcAttr.Ctty = true, fd
		defer func() {
			reclaim(fd)
			term.Restore(fd, saved)
		}()
	}
	ended, err := child.Start(cmd)
	if err != nil {
		return err
	}
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-ended:
	case <-time.After(lastWords):
		cmd.Process.Kill()
		<-ended
	}
	return ctx.Err()
}

// reclaim makes this process's group the terminal's again. Asking for it from
// the background would stop the process.
func reclaim(fd int) {
	signal.Ignore(syscall.SIGTTOU)
	defer signal.Reset(syscall.SIGTTOU)
	unix.IoctlSetPointerInt(fd, unix.TIOCSPGRP, unix.Getpgrp())
}
