package wire

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"time"
)

// Kind says what a message reports. Its zero value is invalid.
type Kind int

const (
	// Ready: init has mounted everything and found its spec.
	Ready Kind = iota + 1
	// Begin: the trial ID starts now.
	Begin
	// End: the trial ID is over, Result says how.
	End
	// Full: the mailbox has no room for another trial; init stops here.
	Full
	// Failed: init itself could not go on, Error says why.
	Failed
)

// Message is one report of the guest.
type Message struct {
	Kind Kind
	// ID is the trial's, for Begin and End.
	ID int
	// Release is the running kernel's, for Ready.
	Release string
	// Result is set for End.
	Result *Result
	// Error is set for Failed.
	Error string

	// Output is what the program wrote to stdout and stderr: all of it, or
	// its beginning and its end with a line in between that says how much is
	// missing. Set for End.
	Output []byte
	// Faults are the lines of lab_fault/records. Set for End when asked for.
	Faults []byte
}

// Result is how a program ended, as its parent saw it. Whether that is a crash
// is for the host to say.
type Result struct {
	// Exit is the exit status, -1 when a signal ended the program.
	Exit int
	// Signal is the number of the signal that ended it, 0 for none.
	Signal int
	// TimedOut is set when init ended the program at its time limit.
	TimedOut bool
	// Error is set when the program could not be started.
	Error string
	// Duration is from exec to exit, in the guest's time.
	Duration time.Duration
	// Written is how many bytes the program wrote; Output may hold fewer.
	Written int64
	// FaultsLost is lab_fault/lost: faults that found the ring full.
	FaultsLost int64
}

// BeginLine and EndLine are what init says on the console around a trial, whose
// output stands between them. A program can print either; but not an EndLine
// before it has ended, for it would have to know when that will be.
func BeginLine(id int) string { return fmt.Sprintf("lab: trial %d begins\n", id) }

// EndLine is said before the result is sent.
func EndLine(id int, r *Result) string { return fmt.Sprintf("lab: trial %d ends: %v\n", id, r) }

// String says how the program ended, and when.
func (r *Result) String() string {
	switch {
	case r.Error != "":
		return r.Error
	case r.TimedOut:
		return fmt.Sprintf("time limit reached after %v", r.Duration)
	case r.Signal != 0:
		return fmt.Sprintf("signal %d after %v", r.Signal, r.Duration)
	default:
		return fmt.Sprintf("exit status %d after %v", r.Exit, r.Duration)
	}
}

// frameHead is the lengths of the frame, of its lines and of the output in it,
// four bytes each.
const frameHead = 12

// Append appends m to b as one frame: head, lines, output, faults.
func Append(b []byte, m Message) []byte {
	l := appendNumber(nil, "kind", int64(m.Kind))
	l = appendNumber(l, "id", int64(m.ID))
	if m.Release != "" {
		l = appendLine(l, "release", m.Release)
	}
	if m.Error != "" {
		l = appendLine(l, "error", m.Error)
	}
	if r := m.Result; r != nil {
		l = appendLine(l, "exit", strconv.Itoa(r.Exit))
		l = appendNumber(l, "signal", int64(r.Signal))
		if r.TimedOut {
			l = appendLine(l, "timed-out", "")
		}
		if r.Error != "" {
			l = appendLine(l, "not-started", r.Error)
		}
		l = appendNumber(l, "duration", int64(r.Duration))
		l = appendNumber(l, "written", r.Written)
		l = appendNumber(l, "faults-lost", r.FaultsLost)
	}
	size := frameHead + len(l) + len(m.Output) + len(m.Faults)
	for _, n := range []int{size, len(l), len(m.Output)} {
		b = binary.LittleEndian.AppendUint32(b, uint32(n))
	}
	b = append(append(b, l...), m.Output...)
	return append(b, m.Faults...)
}

// ErrFrame is returned for bytes that no Append has written.
var ErrFrame = errors.New("bad frame")

// Next takes one message off the front of b. It returns the rest of b, and
// ErrFrame when b does not start with a whole, consistent frame.
func Next(b []byte) (Message, []byte, error) {
	if len(b) < frameHead {
		return Message{}, b, fmt.Errorf("%w: %d bytes, want at least %d", ErrFrame, len(b), frameHead)
	}
	size := uint64(binary.LittleEndian.Uint32(b))
	text := uint64(binary.LittleEndian.Uint32(b[4:]))
	output := uint64(binary.LittleEndian.Uint32(b[8:]))
	if size > uint64(len(b)) || size < frameHead+text+output {
		return Message{}, b, fmt.Errorf("%w: frame of %d bytes with %d+%d in %d", ErrFrame, size, text, output, len(b))
	}
	var m Message
	if err := lines(b[frameHead:frameHead+text], m.set); err != nil {
		return Message{}, b, fmt.Errorf("%w: %v", ErrFrame, err)
	}
	m.Output = b[frameHead+text : frameHead+text+output : frameHead+text+output]
	m.Faults = b[frameHead+text+output : size : size]
	return m, b[size:], nil
}

func (m *Message) set(key, value string) error {
	switch key {
	case "kind":
		return number(value, (*int)(&m.Kind))
	case "id":
		return number(value, &m.ID)
	case "release":
		m.Release = value
		return nil
	case "error":
		m.Error = value
		return nil
	case "exit":
		m.Result = &Result{}
		return number(value, &m.Result.Exit)
	}
	r := m.Result
	if r == nil {
		return errors.New("no result begins here")
	}
	switch key {
	case "signal":
		return number(value, &r.Signal)
	case "timed-out":
		r.TimedOut = true
	case "not-started":
		r.Error = value
	case "duration":
		return number(value, (*int64)(&r.Duration))
	case "written":
		return number(value, &r.Written)
	case "faults-lost":
		return number(value, &r.FaultsLost)
	default:
		return errors.New("unknown key")
	}
	return nil
}
