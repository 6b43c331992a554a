// Package wire holds what the guest's init and the host say to each other: the
// spec that goes in by fw_cfg and the messages that come out by the mailbox.
// It is compiled into both sides and imports the standard library only.
package wire

import (
	"encoding/json"
	"fmt"
	"time"
)

// SpecFile is the fw_cfg name of the spec. The "opt/" prefix is reserved for
// users by QEMU (docs/specs/fw_cfg.rst).
const SpecFile = "opt/lab/spec"

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
}

// Encode returns the spec as the bytes of the fw_cfg file.
func (s Spec) Encode() ([]byte, error) { return json.MarshalIndent(s, "", " ") }

// DecodeSpec reads what Encode wrote.
func DecodeSpec(b []byte) (Spec, error) {
	var s Spec
	if err := json.Unmarshal(b, &s); err != nil {
		return Spec{}, fmt.Errorf("decode spec: %w", err)
	}
	return s, nil
}
