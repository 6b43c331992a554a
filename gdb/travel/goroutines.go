package travel

import (
	"fmt"
	"go/constant"

	"github.com/go-delve/delve/pkg/proc"
)

// Parked is a goroutine that waits.
type Parked struct {
	Goroutine
	// Reason is what for, in the runtime's words (runtime.waitReason).
	Reason string `json:"reason"`
}

// Parked returns the goroutines of the moment's program that wait, without the
// runtime's own.
func (m *Machine) Parked() ([]Parked, error) {
	all, _, err := proc.GoroutinesInfo(m.target, 0, 0)
	if err != nil {
		return nil, err
	}
	var waiting []Parked
	for _, g := range all {
		if g.Unreadable != nil || g.Status != proc.Gwaiting || g.System(m.target) {
			continue
		}
		frames, err := proc.GoroutineStacktrace(m.target, g, deepest, 0)
		if err != nil && len(frames) == 0 {
			continue
		}
		waiting = append(waiting, Parked{stack(g, frames), m.reason(g.WaitReason)})
	}
	return waiting, nil
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
