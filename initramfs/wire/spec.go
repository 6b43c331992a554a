// Package wire holds what the guest's init and the host say to each other: the
// spec that goes in by fw_cfg and the messages that come out by the mailbox.
// It is compiled into both sides and imports the standard library only.
package wire

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"time"
)

// SpecFile is the fw_cfg name of the spec. The "opt/" prefix is reserved for
// users by QEMU (docs/specs/fw_cfg.rst).
const SpecFile = "opt/lab/spec"

// SpecRoom is the size of the spec's file for templates and their clones: the
// guest has read the file's size once, before it was snapshotted, so it must be
// the same for all. A template's file is all zeros.
const SpecRoom = 64 << 10

// TemplateLine is what init says on the console before it stops the machine to
// be snapshotted.
const TemplateLine = "lab: waiting for a spec\n"

// Pad fills an encoded spec up to SpecRoom.
func Pad(spec []byte) ([]byte, error) {
	if len(spec) >= SpecRoom {
		return nil, fmt.Errorf("the trial's arguments and environment take %d bytes, and a forked guest takes at most %d", len(spec), SpecRoom-1)
	}
	return append(spec, make([]byte, SpecRoom-len(spec))...), nil
}

// Spec is what one boot of the guest is asked to do. Its zero value makes init
// power off at once.
type Spec struct {
	Trials []Trial
	// Hold stops the machine when the first program is loaded and about to run
	// its first instruction. It goes on when the host says so.
	Hold bool
	// Console, when set, gives the first trial's program the console for its
	// terminal, of that size, and shows it a folder of the host's at SharePath
	// where there is one. What it writes does not come back with the result.
	Console *Size
}

// Size is a terminal's, in characters.
type Size struct{ Cols, Rows int }

// ShareTag is the 9P mount tag of the host's folder, SharePath its place in the
// guest.
const (
	ShareTag  = "share"
	SharePath = "/share"
)

// Trial is one execution of a program in the guest.
type Trial struct {
	// ID is unique in its run and comes back with the result.
	ID int
	// Argv is the program's path in the guest and its arguments.
	Argv []string
	// Env is the whole environment, as KEY=value.
	Env []string
	// Dir is the folder it runs in. Empty means /tmp.
	Dir string
	// Timeout is the longest the program may run, in the guest's time.
	// Zero means no limit.
	Timeout time.Duration
	// Faults asks for the kernel's lab_fault records even when the program
	// succeeds. When it fails they always come.
	Faults bool
	// Seed reseeds the kernel's random numbers before the program starts:
	// addresses, stack canaries, the Go runtime's own generator. Zero leaves
	// them alone.
	Seed uint64
	// Phase is how long init waits first, in the guest's time: it moves the
	// program against the kernel's ticks.
	Phase time.Duration
	// Slice is the kernel scheduler's time slice. Zero leaves the kernel's own,
	// as does a kernel that does not let it be set.
	Slice time.Duration
}

const specHead = "lab-spec"

// Encode returns the spec as the text of the fw_cfg file, which people can read
// and change.
func (s Spec) Encode() []byte {
	b := appendLine(nil, specHead, "1")
	if s.Hold {
		b = appendLine(b, "hold", "")
	}
	if s.Console != nil {
		b = appendLine(b, "console", fmt.Sprintf("%dx%d", s.Console.Cols, s.Console.Rows))
	}
	for _, t := range s.Trials {
		b = appendLine(b, "trial", strconv.Itoa(t.ID))
		for _, a := range t.Argv {
			b = appendLine(b, "arg", a)
		}
		for _, e := range t.Env {
			b = appendLine(b, "env", e)
		}
		if t.Dir != "" {
			b = appendLine(b, "dir", t.Dir)
		}
		if t.Timeout != 0 {
			b = appendLine(b, "timeout", t.Timeout.String())
		}
		if t.Faults {
			b = appendLine(b, "faults", "")
		}
		if t.Seed != 0 {
			b = appendLine(b, "seed", strconv.FormatUint(t.Seed, 10))
		}
		if t.Phase != 0 {
			b = appendLine(b, "phase", t.Phase.String())
		}
		if t.Slice != 0 {
			b = appendLine(b, "slice", t.Slice.String())
		}
	}
	return b
}

// DecodeSpec reads what Encode wrote, padded or not. It returns nil for a
// template's file, which holds nothing.
func DecodeSpec(b []byte) (*Spec, error) {
	b = bytes.TrimRight(b, "\x00")
	if len(b) == 0 {
		return nil, nil
	}
	s := &Spec{}
	seen := false
	err := lines(b, func(key, value string) (err error) {
		if !seen {
			if seen = key == specHead && value == "1"; !seen {
				return errors.New("want " + specHead + " 1")
			}
			return nil
		}
		switch key {
		case "hold":
			s.Hold = true
			return nil
		case "console":
			s.Console = &Size{}
			_, err := fmt.Sscanf(value, "%dx%d", &s.Console.Cols, &s.Console.Rows)
			return err
		case "trial":
			s.Trials = append(s.Trials, Trial{})
			return number(value, &s.Trials[len(s.Trials)-1].ID)
		}
		if len(s.Trials) == 0 {
			return errors.New("want a trial first")
		}
		t := &s.Trials[len(s.Trials)-1]
		switch key {
		case "arg":
			t.Argv = append(t.Argv, value)
		case "env":
			t.Env = append(t.Env, value)
		case "dir":
			t.Dir = value
		case "timeout":
			return duration(value, &t.Timeout)
		case "faults":
			t.Faults = true
		case "seed":
			t.Seed, err = strconv.ParseUint(value, 10, 64)
		case "phase":
			return duration(value, &t.Phase)
		case "slice":
			return duration(value, &t.Slice)
		default:
			return errors.New("unknown key")
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("spec: %w", err)
	}
	return s, nil
}
