// Package explain finds out why a recorded trial crashed. It replays the trial
// to the crash and runs it backwards to the other side: the goroutine whose
// write the crashing one met. It knows the Go runtime: its fatal errors, its
// maps, its scheduler; how to move a guest through its time is gdb/travel's.
package explain

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"ghostlab/gdb/travel"
)

// Explanation is what was found out about a crash.
type Explanation struct {
	// Trial is the one that was explained, as RUN/TRIAL.
	Trial string `json:"trial"`
	// Signature is the crash's title.
	Signature string `json:"signature"`
	// Message is the runtime's own, where it died by one.
	Message string `json:"message,omitempty"`
	// Victim is the goroutine that crashed; nil where nothing goes on.
	Victim *Side `json:"victim"`
	// Culprit is who wrote what the victim met; nil where nobody was found.
	Culprit *Side `json:"culprit,omitempty"`
	// Apart is the number of instructions between the culprit's write and the
	// victim's access, of all threads and the kernel. TimeApart is the time in
	// the guest that they took.
	Apart     int64         `json:"instructions_apart,omitempty"`
	TimeApart time.Duration `json:"time_apart_ns,omitempty"`
	// Map is the map that both used.
	Map *Map `json:"map,omitempty"`
	// Memory is the access that the victim died of.
	Memory *Memory `json:"memory,omitempty"`
	// Words are where the values came from that the victim met.
	Words []Word `json:"words,omitempty"`
	// Waiting are the goroutines that wait, where nothing goes on.
	Waiting []Waiter `json:"waiting,omitempty"`
	// Schedule is who ran between the two, oldest first.
	Schedule []Turn `json:"schedule,omitempty"`
	// Notes are what else there is to know, such as what was not found and why.
	Notes []string `json:"notes,omitempty"`
	// Took is the host's time.
	Took time.Duration `json:"took_ns"`
}

// Side is one goroutine at one instruction.
type Side struct {
	travel.Goroutine
	// At is the instruction, by QEMU's count.
	At int64 `json:"at"`
	// Did says what it did there.
	Did string `json:"did"`
}

// Case is a crash to explain.
type Case struct {
	// Machine stands where the trial's record begins.
	Machine *travel.Machine
	// Trial and Signature name the crash.
	Trial, Signature string
	// Begun says whether the trial has begun at the moment: others may have run
	// in the same guest before. Nil means that there are none.
	Begun func() (bool, error)
	// Shift makes an instruction take 2^Shift ns.
	Shift int
	// Exit and Signal are how the trial's program ended. Hung is set where it did not
	// in its time.
	Exit, Signal int
	Hung         bool
	// Vmlinux is the guest's kernel, with its symbols.
	Vmlinux string
	// Tell hears what is being looked for. Nil tells nobody.
	Tell func(what string)
}

// NotFoundError says that a crash could not be explained.
type NotFoundError struct{ Why string }

func (e *NotFoundError) Error() string { return "cannot explain it: " + e.Why }

// LateError says that the time that an explanation may take was over.
type LateError struct {
	// For is what was being looked for.
	For string
}

func (e *LateError) Error() string {
	return "cannot explain it in the time that there was, which ended with the search for " + e.For
}

// Hint says what to do about it.
func (e *LateError) Hint() string {
	return "--limit gives it more; `lab replay --gdb` goes there by hand"
}

// inquiry is an explanation in the making.
type inquiry struct {
	Case
	m      *travel.Machine
	space  uint64         // the crashing program's
	known  *travel.Kernel // nil before it is asked for
	sought string         // what is being looked for
	since  *Side          // whose write writers are looked for since, nil for the trial's begin
	out    *Explanation
}

// Explain explains a crash. It moves the machine. Where it cannot it says what it
// has found with the error, a *NotFoundError, or a *LateError where the context,
// which is the machine's, had a deadline that is over.
func Explain(ctx context.Context, c Case) (*Explanation, error) {
	began := time.Now()
	q := &inquiry{Case: c, m: c.Machine, out: &Explanation{Trial: c.Trial, Signature: c.Signature}}
	end, err := q.crash()
	if err == nil {
		err = q.explain(end)
	}
	q.out.Took = time.Since(began)
	switch ctx.Err() {
	case nil:
	case context.DeadlineExceeded:
		return q.out, &LateError{q.sought}
	default:
		return nil, ctx.Err()
	}
	return q.out, err
}

func (q *inquiry) explain(c *crash) error {
	q.seek("what led to the crash")
	switch {
	case q.Hung:
		return q.standstill()
	case c.entry == exits && q.Signal != 0:
		if err := q.m.Go(q.out.Victim.At); err != nil {
			return err
		}
		return q.sender(int64(q.Signal), q.out.Victim.At)
	case strings.Contains(c.message, "concurrent map"):
		return q.mapRace(c)
	case stuck(c, q.Signature):
		return q.standstill()
	case q.unwinder() != nil:
		return q.unwound(q.unwinder())
	case q.faulting() != nil:
		return q.fault()
	}
	end := q.out.Victim.At
	var unknown *NotFoundError
	if done, err := q.check(c); errors.As(err, &unknown) {
		q.note("%v", unknown)
	} else if err != nil || done {
		return err
	}
	q.note("what made this crash is not a word in memory that one goroutine wrote and another read: the last turns before it may tell")
	return q.lastTurns(end)
}

// seek says what is looked for from now on.
func (q *inquiry) seek(format string, args ...any) {
	q.sought = fmt.Sprintf(format, args...)
	if q.Tell != nil {
		q.Tell(q.sought)
	}
}

func (q *inquiry) note(format string, args ...any) {
	q.out.Notes = append(q.out.Notes, fmt.Sprintf(format, args...))
}

// side is the goroutine of the moment.
func (q *inquiry) side(did string) (*Side, error) {
	g, err := q.m.Goroutine()
	if err != nil {
		return nil, err
	}
	at, err := q.m.Now()
	return &Side{Goroutine: *g, At: at, Did: did}, err
}

// ours wants moments of the crashing program, not of another process or of the
// kernel. An interrupt just after an instruction has the same count as the next
// one, and the machine may have come to either.
func (q *inquiry) ours() (bool, error) {
	user, err := q.m.User()
	if err == nil && !user {
		_, user, err = q.m.Interrupted()
	}
	if err != nil || !user {
		return false, err
	}
	space, err := q.m.Space()
	return space == q.space, err
}

// of wants moments of one goroutine of the crashing program.
func (q *inquiry) of(goroutine int64) func() (bool, error) {
	return func() (bool, error) {
		if ok, err := q.ours(); err != nil || !ok {
			return false, err
		}
		id, err := q.m.ID()
		return id == goroutine, err
	}
}

// in wants moments of one call of a goroutine.
func (q *inquiry) in(call travel.Frame, goroutine int64) func() (bool, error) {
	same := q.of(goroutine)
	return func() (bool, error) {
		if ok, err := same(); err != nil || !ok {
			return false, err
		}
		top, err := q.m.Top()
		return err == nil && top.Entry == call.Entry && top.Depth == call.Depth, err
	}
}
