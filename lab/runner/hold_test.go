package runner

import (
	"errors"
	"testing"
)

func TestCoreOrWhyThereIsNone(t *testing.T) {
	var said string
	turn := &turn{run: newRun(t.Context(), nil, Job{Notice: func(text string) { said = text }})}
	turn.keepCore(nil, errors.New("the guest is gone"))
	if said != "no core: the guest is gone" || turn.takeCore() != nil {
		t.Errorf("said %q", said)
	}
	turn.keepCore([]byte("core"), nil)
	if got := turn.takeCore(); string(got) != "core" || turn.takeCore() != nil {
		t.Errorf("got %q, and must be taken once", got)
	}
}
