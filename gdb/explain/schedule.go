package explain

import (
	"errors"
	"fmt"
	"time"

	"ghostlab/gdb/travel"
)

// Turn is a stretch of time in which the vCPU ran one goroutine, and the kernel
// for it.
type Turn struct {
	// Goroutine is its number, 0 for the runtime's own work on a thread. Other
	// is set for another process instead.
	Goroutine int64 `json:"goroutine"`
	Other     bool  `json:"other_process,omitempty"`
	// Instructions is how many it was, with the kernel's until the next turn.
	Instructions int64 `json:"instructions"`
	// Stopped is where the turn ended and Why what ended it. Stopped's Line is
	// 0 for the last turn, which did not end.
	Stopped travel.Frame  `json:"stopped"`
	Why     travel.Reason `json:"why,omitempty"`
}

// Bounds of looking at a schedule: it is the story's end that matters, and most
// races are a few turns long.
const (
	mostStops    = 400
	scheduleTime = 3 * time.Second
)

// gogo is the runtime's function that lets a goroutine run: its one argument is
// a gobuf, in which the goroutine is (runtime/asm_arm64.s).
const gogo = "runtime.gogo"

// schedule follows the vCPU forwards, from the moment to the instruction at
// end, and says who ran.
func (q *inquiry) schedule(end int64) error {
	points, err := q.m.Entries()
	if err != nil {
		return err
	}
	if entry, ok := q.m.Function(gogo); ok {
		points = append(points, travel.At(entry))
	}
	began, err := q.m.Now()
	if err != nil {
		return err
	}
	runs, err := q.m.ID()
	if err != nil {
		return err
	}
	var turns []Turn
	stops, started := 0, time.Now()
	err = q.m.Forward(func() (bool, error) {
		now, err := q.m.Now()
		if err != nil || now >= end {
			return true, err
		}
		turn, err := q.stop()
		if err != nil {
			return false, err
		}
		if turn.Why == travel.Switch {
			// The thread counts as the next goroutine's already. After an
			// entry to the kernel it may be another thread.
			turn.Goroutine, runs = runs, turn.Goroutine
		} else {
			runs = 0
		}
		turn.Instructions = now - began
		began = now
		turns = join(turns, turn)
		stops++
		return stops == mostStops || time.Since(started) > scheduleTime, nil
	}, points...)
	if err != nil && !errors.Is(err, travel.ErrEnd) {
		return err
	}
	if now, err := q.m.Now(); err != nil {
		return err
	} else if now < end {
		q.note("the schedule is cut: more than %d stops lie between the two", stops)
	} else {
		if q.out.Victim != nil {
			runs = q.out.Victim.ID
		}
		turns = join(turns, Turn{Goroutine: runs, Instructions: end - began})
	}
	q.out.Schedule = turns
	return nil
}

// Of a crash that has no other side, this many turns are shown, from so many
// instructions before it.
const (
	turnsShown = 24
	turnsSpan  = 300_000
)

// lastTurns says who ran before the instruction at end.
func (q *inquiry) lastTurns(end int64) error {
	if err := q.m.Go(end - turnsSpan); err != nil {
		return err
	}
	err := q.schedule(end)
	if n := len(q.out.Schedule); n > turnsShown {
		q.out.Schedule = q.out.Schedule[n-turnsShown:]
	}
	return err
}

// stop is the end of a turn at the moment.
func (q *inquiry) stop() (Turn, error) {
	var t Turn
	why, entered, err := q.m.Interrupted()
	if err != nil {
		return t, err
	}
	t.Why = why
	if space, err := q.m.Space(); err != nil {
		return t, err
	} else if space != q.space {
		t.Other = true // another process, or this one before its program was loaded
		return t, nil
	}
	g, err := q.m.Goroutine()
	if err != nil {
		return t, err
	}
	t.Goroutine = g.ID
	if !entered {
		t.Why = travel.Switch
	}
	if len(g.Stack) > 0 {
		t.Stopped = g.Stack[0]
	}
	return t, nil
}

// join adds a turn, which goes on with the last where it is the same
// goroutine's.
func join(turns []Turn, t Turn) []Turn {
	if n := len(turns) - 1; n >= 0 && turns[n].Goroutine == t.Goroutine && turns[n].Other == t.Other {
		t.Instructions += turns[n].Instructions
		turns[n] = t
		return turns
	}
	return append(turns, t)
}

// String says in a line who ran and what ended it.
func (t Turn) String() string {
	who := fmt.Sprintf("goroutine %d", t.Goroutine)
	switch {
	case t.Other:
		return "another process"
	case t.Goroutine == 0:
		who = "the runtime, for no goroutine"
	}
	switch {
	case t.Stopped.Line == 0:
		return who
	case t.Why == travel.Switch:
		return who + ", until the Go scheduler switched"
	case t.Stopped.Line < 0: // the kernel's vDSO, for one
		return fmt.Sprintf("%s, until %s outside the program's file", who, t.Why)
	}
	return fmt.Sprintf("%s, until %s in %s (%s:%d)", who, t.Why, t.Stopped.Func, t.Stopped.File, t.Stopped.Line)
}
