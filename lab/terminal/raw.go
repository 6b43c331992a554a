package terminal

import (
	"context"
	"errors"
	"io"
	"os"
	"os/signal"
	"sync"
	"syscall"

	"golang.org/x/term"
)

// escape begins a command to the lab, quit ends the guest; escape twice is
// escape itself. They are those of QEMU and GNU screen.
const (
	escape = 1 // Ctrl-A
	quit   = 'x'
	eot    = 4 // Ctrl-D, the end of the input to a terminal
)

// ErrQuit says that the user has typed Ctrl-A x.
var ErrQuit = errors.New("ended by Ctrl-A x")

// Terminal says whether somebody can type.
func (s Streams) Terminal() bool { return s.file() != nil }

// Size is the terminal's, zero where there is none.
func (s Streams) Size() (cols, rows int) {
	if tty := s.file(); tty != nil {
		cols, rows, _ = term.GetSize(int(tty.Fd()))
	}
	return cols, rows
}

// Connect puts the user's terminal in raw mode and connects it to one elsewhere
// until that hangs up, the context ends or the user types Ctrl-A x, which is
// ErrQuit. resized is told of each new size of the window, and not after the return.
func Connect(ctx context.Context, far io.ReadWriter, s Streams, resized func(cols, rows int)) error {
	if tty := s.file(); tty != nil {
		saved, err := term.MakeRaw(int(tty.Fd()))
		if err != nil {
			return err
		}
		defer term.Restore(int(tty.Fd()), saved)
		window := make(chan os.Signal, 1)
		signal.Notify(window, syscall.SIGWINCH)
		var told sync.WaitGroup
		told.Go(func() {
			for range window {
				resized(s.Size())
			}
		})
		defer func() {
			signal.Stop(window)
			close(window)
			told.Wait()
		}()
	}
	ended := make(chan error, 2)
	go func() {
		_, err := io.Copy(s.Out, far)
		ended <- err
	}()
	go func() {
		if err := typed(far, s.In); err != nil {
			ended <- err
		}
	}()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// typed passes on what the user types. Its end is passed on as Ctrl-D.
func typed(far io.Writer, in io.Reader) error {
	buf := make([]byte, 1024)
	escaped := false
	for {
		n, err := in.Read(buf)
		out := make([]byte, 0, n)
		for _, b := range buf[:n] {
			switch {
			case escaped && b == quit:
				return ErrQuit
			case !escaped && b == escape:
				escaped = true
				continue
			}
			escaped = false
			out = append(out, b)
		}
		if _, werr := far.Write(out); werr != nil {
			return nil // the far side has hung up, which the other direction tells
		}
		if err != nil {
			far.Write([]byte{eot})
			return nil
		}
	}
}
