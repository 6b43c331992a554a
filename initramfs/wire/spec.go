// Package wire holds what the guest's init and the host say to each other: the
// spec that goes in by fw_cfg and the messages that come out by the mailbox.
// It is compiled into both sides and imports the standard library only.
package wire

import (
	"bytes"
	"encoding/json"
	"fmt"
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
	Trials []Trial `json:"trials"`
}

// Trial is one execution of a program in the guest.
type Trial struct {
	// ID is unique in its run and comes back with the result.
	ID int `json:"id"`
	// Argv is the program's path in the guest and its arguments.
	Argv []string `json:"argv"`
	// Env is the whole environment, as KEY=value.
	Env []string `json:"env,omitempty"`
	// Timeout is the longest the program may run, in the guest's time.
	// Zero means no limit.
	Timeout time.Duration `json:"timeout,omitempty"`
	// Faults asks for the kernel's lab_fault records even when the program
	// succeeds. When it fails they always come.
	Faults bool `json:"faults,omitempty"`
	// Seed reseeds the kernel's random numbers before the program starts:
	// addresses, stack canaries, the Go runtime's own generator. Zero leaves
	// them alone.
	Seed uint64 `json:"seed,omitempty"`
	// Phase is how long init waits first, in the guest's time: it moves the
	// program against the kernel's ticks.
	Phase time.Duration `json:"phase,omitempty"`
	// Slice is the kernel scheduler's shortest time slice. Zero leaves the
	// kernel's own, as does a kernel that does not let it be set.
	Slice time.Duration `json:"slice,omitempty"`
}

// Encode returns the spec as the bytes of the fw_cfg file.
func (s Spec) Encode() ([]byte, error) { return json.MarshalIndent(s, "", " ") }

// DecodeSpec reads what Encode wrote, padded or not. It returns nil for a
// template's file, which holds nothing.
func DecodeSpec(b []byte) (*Spec, error) {
	b = bytes.TrimRight(b, "\x00")
	if len(b) == 0 {
		return nil, nil
	}
	s := &Spec{}
	if err := json.Unmarshal(b, s); err != nil {
		return nil, fmt.Errorf("decode spec: %w", err)
	}
	return s, nil
}
