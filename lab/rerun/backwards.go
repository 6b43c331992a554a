package rerun

import (
	"context"
	"errors"
	"fmt"
	"time"

	"ghostlab/gdb/explain"
	"ghostlab/gdb/travel"
	"ghostlab/lab/runner"
	"ghostlab/lab/vm"
)

// Explain explains a trial that can be run backwards, in so much time. What was found is
// returned beside an *explain.NotFoundError or an *explain.LateError, too.
func (t *Trial) Explain(ctx context.Context, limit time.Duration) (*explain.Explanation, error) {
	replay, err := t.Replay()
	if err != nil {
		return nil, err
	}
	defer replay.Close()
	task := t.provider.Out.Steps("explain", 1)
	defer task.End()
	limited, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	var e *explain.Explanation
	m, err := travel.Open(limited, replay, t.Image.Program)
	if err == nil {
		defer m.Close()
		c := t.caseOf(m, replay)
		c.Tell = task.Note
		e, err = explain.Explain(limited, c)
	}
	if lost := replay.Lost(err); lost != nil {
		err = lost
	}
	return e, err
}

// ToCrash moves a replay of the trial to its crash, or leaves it where its record
// begins, and says which.
func (t *Trial) ToCrash(ctx context.Context, replay *vm.Replay) (string, error) {
	if !t.Past.Hung() && !runner.Failed(t.Past.Trial.Trial) {
		return "the trial did not crash: the guest stands where its record begins", nil
	}
	m, err := travel.Open(ctx, replay, t.Image.Program)
	if err != nil {
		return "", err
	}
	defer m.Close()
	err = explain.ToCrash(t.caseOf(m, replay))
	switch {
	case errors.As(err, new(*explain.NotFoundError)) || errors.As(err, new(*travel.SymbolsError)):
	case t.Past.Hung():
		return "the guest stands where the program's time was up", err
	default:
		return "the guest stands at the crash", err
	}
	return fmt.Sprintf("the guest stands where its record begins: %v", err), replay.Seek(ctx, replay.Start())
}
