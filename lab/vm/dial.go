package vm

import (
	"context"
	"errors"
	"fmt"
	"time"

	"ghostlab/gdb/rsp"
)

// answerLimit is how long a gdb stub may take to answer. It answers at once; on a busy
// host that is some ms.
const answerLimit = 10 * time.Second

// Dial connects to the guest's gdb stub, which stops the guest. The error is a
// *WatchedError where the stub serves another.
func (l Live) Dial(ctx context.Context) (*rsp.Client, error) {
	limited, cancel := context.WithTimeout(ctx, answerLimit)
	defer cancel()
	stub, err := rsp.Dial(limited, l.GDB())
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		err = &WatchedError{l.Name}
	}
	return stub, err
}

// WatchedError says that a guest's gdb stub serves another.
type WatchedError struct {
	// Guest is the guest's name.
	Guest string
}

func (e *WatchedError) Error() string {
	return fmt.Sprintf("guest %s already has a debugger, and QEMU serves one", e.Guest)
}

// BadInput marks what the user can mend, see usage.IsBadInput.
func (*WatchedError) BadInput() {}

// Hint says what to do about it.
func (e *WatchedError) Hint() string {
	return "leave the other gdb first; a guest of `lab run --hold-on crash` that is not held yet is watched by that lab"
}
