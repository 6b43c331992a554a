package wire

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
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
	Kind Kind `json:"kind"`
	// ID is the trial's, for Begin and End.
	ID int `json:"id,omitempty"`
	// Release is the running kernel's, for Ready.
	Release string  `json:"release,omitempty"`
	Result  *Result `json:"result,omitempty"`
	Error   string  `json:"error,omitempty"`

	// Output is what the program wrote to stdout and stderr: all of it, or
	// its beginning and its end with a line in between that says how much is
	// missing. Set for End.
	Output []byte `json:"-"`
	// Faults are the lines of lab_fault/records. Set for End when asked for.
	Faults []byte `json:"-"`

	// OutputSize and FaultsSize are set by Append.
	OutputSize int `json:"output_size,omitempty"`
	FaultsSize int `json:"faults_size,omitempty"`
}

// Result is how a program ended, as its parent saw it. Whether that is a crash
// is for the host to say.
type Result struct {
	// Exit is the exit status, -1 when a signal ended the program.
	Exit int `json:"exit"`
	// Signal is the number of the signal that ended it, 0 for none.
	Signal int `json:"signal,omitempty"`
	// TimedOut is set when init ended the program at its time limit.
	TimedOut bool `json:"timed_out,omitempty"`
	// Error is set when the program could not be started.
	Error string `json:"error,omitempty"`
	// Duration is from exec to exit, in the guest's time.
	Duration time.Duration `json:"duration"`
	// Written is how many bytes the program wrote; Output may hold fewer.
	Written int64 `json:"written"`
	// FaultsLost is lab_fault/lost: faults that found the ring full.
	FaultsLost int64 `json:"faults_lost,omitempty"`
}

// frameHead is the length of the frame and of its JSON, four bytes each.
const frameHead = 8

// Append appends m to b as one frame: head, JSON, output, faults.
func Append(b []byte, m Message) ([]byte, error) {
	m.OutputSize, m.FaultsSize = len(m.Output), len(m.Faults)
	j, err := json.Marshal(m)
	if err != nil {
		return b, fmt.Errorf("encode message: %w", err)
	}
	size := frameHead + len(j) + len(m.Output) + len(m.Faults)
	b = binary.LittleEndian.AppendUint32(b, uint32(size))
	b = binary.LittleEndian.AppendUint32(b, uint32(len(j)))
	b = append(b, j...)
	b = append(b, m.Output...)
	return append(b, m.Faults...), nil
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
	n := uint64(binary.LittleEndian.Uint32(b[4:]))
	if size > uint64(len(b)) || size < frameHead+n {
		return Message{}, b, fmt.Errorf("%w: frame of %d bytes with %d of JSON in %d", ErrFrame, size, n, len(b))
	}
	var m Message
	if err := json.Unmarshal(b[frameHead:frameHead+n], &m); err != nil {
		return Message{}, b, fmt.Errorf("%w: %v", ErrFrame, err)
	}
	body := b[frameHead+n : size]
	if m.OutputSize < 0 || m.FaultsSize < 0 || m.OutputSize > len(body) || m.FaultsSize != len(body)-m.OutputSize {
		return Message{}, b, fmt.Errorf("%w: %d+%d bytes of evidence in %d", ErrFrame, m.OutputSize, m.FaultsSize, len(body))
	}
	m.Output, m.Faults = body[:m.OutputSize:m.OutputSize], body[m.OutputSize:]
	return m, b[size:], nil
}
