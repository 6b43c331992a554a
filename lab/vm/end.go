package vm

import (
	"slices"
	"strings"
	"time"
)

// Reason says how a guest ended. Its zero value is invalid.
type Reason int

const (
	// PoweredOff: the guest ended itself.
	PoweredOff Reason = iota + 1
	// Panicked: the kernel panicked.
	Panicked
	// Reset: the guest restarted itself, without a panic.
	Reset
	// Hung: no message within Silence; the lab ended it and has its stacks.
	Hung
	// Flooded: more console output than anyone can want; the lab ended it.
	Flooded
)

func (r Reason) String() string {
	return [...]string{"invalid", "powered off", "kernel panic", "reset", "hung", "console flood"}[r]
}

// End is how a guest ended after it had booted.
type End struct {
	Reason  Reason
	Release string // of the kernel, as the guest reported it
	// Console is what the guest printed after the last trial that it saw to its
	// end, at most the last 256 KiB.
	Console []byte
	// Stacks is what the vCPUs of a hung guest were doing.
	Stacks []byte
	Took   time.Duration
}

// BootError says that a guest never became ready.
type BootError struct {
	CPU     string // the model
	Stage   string // how far it came
	Console string // the end of what it printed
	Err     error
}

func (g *Guest) bootError(stage string, err error) *BootError {
	return &BootError{CPU: g.cfg.CPU, Stage: stage, Console: g.lastLines(), Err: err}
}

func (e *BootError) Error() string {
	s := "boot of a guest with CPU " + e.CPU + ": " + e.Stage
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	if e.Console != "" {
		s += "; the console ends with:\n" + e.Console
	}
	return s
}

func (e *BootError) Unwrap() error { return e.Err }

// Hint says what to do about it, where the model may be why.
func (e *BootError) Hint() string {
	if slices.Contains(bootable, e.CPU) {
		return ""
	}
	return "the model may be why: " + strings.Join(bootable, ", ") + " are known to boot"
}

// bootable are models that have been seen to boot with Linux 5.15 and 6.1.
var bootable = []string{"cortex-a53", "cortex-a57", "cortex-a72", "neoverse-n1", "max"}

// InfraError says that the machinery failed under a guest that had booted: QEMU
// died, the mailbox is corrupt, the disk is full. It is never a result.
type InfraError struct {
	What string
	Err  error
}

func (e *InfraError) Error() string {
	if e.Err == nil {
		return e.What
	}
	return e.What + ": " + e.Err.Error()
}

func (e *InfraError) Unwrap() error { return e.Err }
