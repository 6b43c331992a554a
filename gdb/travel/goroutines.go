package travel

import (
	"fmt"
	"go/constant"

	"github.com/go-delve/delve/pkg/proc"
)

// Parked is a goroutine that the vCPU does not execute, and what it does.
type Parked struct {
	Goroutine
	// Reason is what it waits for, or else what it does, both in the runtime's
	// words: its waitReason, or Running, Runnable or Syscall.
	Reason string `json:"reason"`
}

// What goroutines do that wait for nothing (runtime/traceback.go, gStatusStrings).
const (
	Running  = "running"
	Runnable = "runnable"
	Syscall  = "syscall"
)

// scanning is the bit in a goroutine's status that says that its stack is being read
// (runtime/runtime2.go, _Gscan).
const scanning = 0x1000

// Goroutines returns those of the moment's program, without the runtime's own. The
// stack of one that is Running is empty: where that stands is in a CPU's registers, or in
// the kernel.
func (m *Machine) Goroutines() ([]Parked, error) {
	all, _, err := proc.GoroutinesInfo(m.target, 0, 0)
	if err != nil {
		return nil, err
	}
	var out []Parked
	for _, g := range all {
		if g.Unreadable != nil || g.System(m.target) {
			continue
		}
		reason := ""
		switch g.Status &^ scanning {
		case proc.Gwaiting:
			reason = m.reason(g.WaitReason)
		case proc.Grunnable:
			reason = Runnable
		case proc.Gsyscall:
			reason = Syscall
		case proc.Grunning:
			reason = Running
		default:
			continue
		}
		if reason == Running || g.Thread != nil {
			out = append(out, Parked{Goroutine{ID: g.ID, Created: location(g.Go())}, Running})
			continue
		}
		frames, err := proc.GoroutineStacktrace(m.target, g, deepest, 0)
		if err != nil && len(frames) == 0 {
			continue
		}
		out = append(out, Parked{stack(g, frames), reason})
	}
	return out, nil
}

// reason is the runtime's name of a reason to wait, "" where it has none.
func (m *Machine) reason(n int64) string {
	scope, err := proc.ThreadScope(m.target, m.cpu)
	if err != nil {
		return ""
	}
	v, err := scope.EvalExpression(fmt.Sprintf("runtime.waitReasonStrings[%d]", n), proc.LoadConfig{MaxStringLen: 100})
	if err != nil || v.Value == nil {
		return ""
	}
	return constant.StringVal(v.Value)
}
