package qemu

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"time"

	"ghostlab/lab/child"
)

// Process is a running QEMU. It ends with lab, however lab ends.
type Process struct {
	cmd    *exec.Cmd
	stderr tail
	done   chan struct{}
	err    error
}

// Start starts QEMU.
func Start(argv []string) (*Process, error) {
	p := &Process{cmd: exec.Command(argv[0], argv[1:]...), done: make(chan struct{})}
	p.cmd.Stderr = &p.stderr
	ended, err := child.Start(p.cmd)
	if errors.Is(err, exec.ErrNotFound) {
		return nil, &NotFoundError{Binary: argv[0]}
	}
	if err != nil {
		return nil, fmt.Errorf("start qemu: %w", err)
	}
	go func() {
		p.err = <-ended
		close(p.done)
	}()
	return p, nil
}

// PID is QEMU's process number.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// CPUTime is the processor time that QEMU has used. It is zero where the host
// does not tell (no /proc) and after the end.
func (p *Process) CPUTime() time.Duration {
	used, _ := p.Usage()
	return used
}

// Usage is QEMU's CPUTime, and whether it is stopped by a signal or by a debugger of
// this host's, which is false where the host does not tell.
func (p *Process) Usage() (used time.Duration, stopped bool) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.PID()))
	if err != nil {
		return 0, false
	}
	// The fields after the name, which may hold anything: 3 of proc(5) is the
	// state, 14 and 15 are utime and stime, in ticks of 10 ms.
	fields := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
	if len(fields) < 13 {
		return 0, false
	}
	user, _ := strconv.ParseInt(fields[11], 10, 64)
	system, _ := strconv.ParseInt(fields[12], 10, 64)
	return time.Duration(user+system) * 10 * time.Millisecond, strings.EqualFold(fields[0], "T")
}

// Done is closed when QEMU has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// ErrKilled is the end of a QEMU that a debugger has ended by its kill command.
var ErrKilled = errors.New("a debugger has killed the guest")

// byKill is what QEMU says then, and its status is 0 (gdbstub.c, handle_kill).
const byKill = "Terminated via GDBstub"

// Wait returns nil when QEMU ended by itself with status 0, ErrKilled or else an
// *ExitError.
func (p *Process) Wait() error {
	<-p.done
	switch {
	case p.err == nil && strings.Contains(p.stderr.String(), byKill):
		return ErrKilled
	case p.err == nil:
		return nil
	}
	return &ExitError{Status: p.err.Error(), Stderr: p.stderr.String()}
}

// LastWords is the end of what QEMU has said on its standard error, at most 4 KiB. It
// is complete after Done.
func (p *Process) LastWords() string { return p.stderr.String() }

// Kill ends QEMU at once and waits for it.
func (p *Process) Kill() {
	p.cmd.Process.Kill()
	<-p.done
}

// ExitError says how QEMU failed.
type ExitError struct {
	Status string // "exit status 1", "signal: killed"
	Stderr string // the end of what it said
}

func (e *ExitError) Error() string {
	if e.Stderr == "" {
		return "qemu: " + e.Status
	}
	return fmt.Sprintf("qemu: %s: %s", e.Status, e.Stderr)
}

// NotFoundError says that this host has no QEMU for arm64.
type NotFoundError struct{ Binary string }

func (e *NotFoundError) Error() string { return e.Binary + " was not found" }

// Hint says what to do about it.
func (e *NotFoundError) Hint() string { return "`lab doctor` names the command that installs it" }

// answerLimit is how long an emulator may take to say what it is and knows; more than
// a hundred times what it takes on a busy host.
const answerLimit = time.Minute

// ask is the command that asks the emulator something. It ends with the context, and
// is not waited for because of what a script in the emulator's place has started.
func ask(ctx context.Context, binary string, args ...string) (cmd *exec.Cmd, done context.CancelFunc) {
	ctx, done = context.WithTimeout(ctx, answerLimit)
	cmd = exec.CommandContext(ctx, binary, args...)
	cmd.WaitDelay = time.Second
	return cmd, done
}

// Version returns what the emulator calls itself, such as "7.2.22".
func Version(ctx context.Context, binary string) (string, error) {
	cmd, done := ask(ctx, binary, "--version")
	defer done()
	out, err := cmd.Output()
	if err != nil {
		if errors.Is(err, exec.ErrNotFound) {
			return "", &NotFoundError{Binary: binary}
		}
		return "", fmt.Errorf("%s --version: %w", binary, err)
	}
	line, _, _ := strings.Cut(string(out), "\n")
	_, v, ok := strings.Cut(line, "version ")
	if !ok {
		return "", fmt.Errorf("%s --version: want a version, got %q", binary, line)
	}
	return v, nil
}

// tail keeps the last 4 KiB written to it.
type tail struct {
	mu sync.Mutex
	b  []byte
}

func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.b = append(t.b, b...)
	if n := len(t.b) - 4096; n > 0 {
		t.b = bytes.Clone(t.b[n:])
	}
	return len(b), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.TrimSpace(string(t.b))
}
