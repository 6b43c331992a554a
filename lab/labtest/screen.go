package labtest

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
	"github.com/hinshun/vt10x"
)

// Screen is a terminal that a test can look at and type on.
type Screen struct {
	// TTY is the program's side.
	TTY *os.File

	keys *os.File
	seen vt10x.Terminal
	eof  chan struct{}
}

// NewScreen makes a terminal of that size.
func NewScreen(t testing.TB, cols, rows int) *Screen {
	t.Helper()
	keys, tty, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	if err := pty.Setsize(keys, &pty.Winsize{Rows: uint16(rows), Cols: uint16(cols)}); err != nil {
		t.Fatal(err)
	}
	s := &Screen{TTY: tty, keys: keys, seen: vt10x.New(vt10x.WithSize(cols, rows)), eof: make(chan struct{})}
	go func() {
		defer close(s.eof)
		// A whole character at a time: the emulator refuses parts of one.
		for in := bufio.NewReader(keys); ; {
			r, _, err := in.ReadRune()
			if err != nil { // EIO when no program has the terminal
				return
			}
			s.seen.Write([]byte(string(r)))
		}
	}()
	t.Cleanup(func() { tty.Close(); keys.Close() })
	return s
}

// Resize makes the terminal another size, as one who pulls at its corner does.
func (s *Screen) Resize(t testing.TB, cols, rows int) {
	t.Helper()
	s.seen.Resize(cols, rows)
	if err := pty.Setsize(s.keys, &pty.Winsize{Rows: uint16(rows), Cols: uint16(cols)}); err != nil {
		t.Fatal(err)
	}
}

// Start starts a program that has the terminal for its own, so that Ctrl-C
// reaches it.
func (s *Screen) Start(t testing.TB, cmd *exec.Cmd) {
	t.Helper()
	cmd.Stdin, cmd.Stdout, cmd.Stderr = s.TTY, s.TTY, s.TTY
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
}

// Type types text; "\x03" is Ctrl-C.
func (s *Screen) Type(t testing.TB, text string) {
	t.Helper()
	if _, err := io.WriteString(s.keys, text); err != nil {
		t.Fatal(err)
	}
}

// Await waits until ok says yes to what is on the screen.
func (s *Screen) Await(t testing.TB, what string, ok func(text string) bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !ok(s.text()); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("no %s on the screen within a minute:\n%s", what, s.text())
		}
	}
}

// Last is what is on the screen after the last program has ended.
func (s *Screen) Last() string {
	s.TTY.Close()
	<-s.eof
	return s.text()
}

// text is the screen without the blanks at the ends of lines and of the whole.
func (s *Screen) text() string {
	lines := strings.Split(s.seen.String(), "\n")
	for i, l := range lines {
		lines[i] = strings.TrimRight(l, " \x00")
	}
	return strings.TrimRight(strings.Join(lines, "\n"), "\n")
}
