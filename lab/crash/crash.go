// Package crash says what became of a trial: it turns a program's exit and its
// output into an outcome and a signature. It reads text and runs nothing.
package crash

import (
	"fmt"
	"regexp"
	"slices"
)

// Outcome is what became of a trial. Its zero value is invalid.
type Outcome string

const (
	Pass       Outcome = "pass"
	Crash      Outcome = "crash"
	Hang       Outcome = "hang"
	GuestPanic Outcome = "guest-panic"
	// Infra is a failure of the lab, not a result: it enters no rate.
	Infra Outcome = "infra"
)

// Evidence is what is known of a program's end.
type Evidence struct {
	Exit, Signal int
	TimedOut     bool
	// Output is what it wrote, or the two ends of that.
	Output []byte
}

// Report is the classified end of a trial.
type Report struct {
	Outcome Outcome `json:"outcome"`
	// Title is the signature: two crashes with the same title are the same.
	// Empty for a pass. A crash that the program has printed and did not end by, as
	// a child's, is in brackets behind what ended it.
	Title string `json:"title,omitempty"`
	// Frames are the functions of the crashing goroutine, innermost first.
	// Where the runtime crashed on its own stack while it worked for a
	// goroutine, that goroutine's frames follow the runtime's.
	Frames []Frame `json:"frames,omitempty"`
	// Fault is the signal that the crash began with; nil without one.
	Fault *Fault `json:"fault,omitempty"`
	// BadReturn is where the runtime's unwinder lost its way; nil if it did not.
	BadReturn *BadReturn `json:"bad_return,omitempty"`
}

// Frame is one line pair of a Go stack.
type Frame struct {
	Func string `json:"func"`
	File string `json:"file"`
	Line int    `json:"line"`
}

// Fault is what a `[signal …]` or `PC=… sigcode=…` line says.
type Fault struct {
	// Signal is its name, such as SIGSEGV, or its number in hexadecimal.
	Signal string `json:"signal"`
	// Code is si_code of sigaction(2): positive from the kernel, 0 from
	// kill(2), negative from other system calls of a process.
	Code int32 `json:"code"`
	// Addr is the address that was accessed and PC that of the instruction,
	// in hexadecimal with 0x. Addr is empty where Go prints none: in Go 1.21
	// for a signal on the runtime's stack, and for signals without an address.
	Addr string `json:"addr,omitempty"`
	PC   string `json:"pc"`
}

// BadReturn is what an `unexpected return pc for X called from Y` line says.
type BadReturn struct {
	// Func is X, the last function that the unwinder recognised.
	Func string `json:"func"`
	// CalledFrom is Y, in hexadecimal with 0x: what lay on the stack where X's
	// return address was expected.
	CalledFrom string `json:"called_from"`
}

// endsDump says whether a program can have ended by the runtime's dump: that is
// followed by exit status 2, or by the signal that it was about or SIGABRT with
// GOTRACEBACK=crash. Any other end is the program's own or its killer's, status 66 the
// race detector's (exitcode in GORACE).
func endsDump(e Evidence) bool {
	return e.Exit == 2 || slices.Contains(dumped, e.Signal)
}

// dumped are Linux's SIGQUIT, SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV and
// SIGSYS (include/uapi/asm-generic/signal.h), whatever the host's are.
var dumped = []int{3, 4, 5, 6, 7, 8, 11, 31}

// Classify decides about a program that ran in a healthy guest.
func Classify(e Evidence) Report {
	if e.TimedOut {
		return Report{Outcome: Hang, Title: "no end within the time limit"}
	}
	if e.Exit == 0 && e.Signal == 0 {
		return Report{Outcome: Pass}
	}
	out := lineEnds.ReplaceAllString(string(e.Output), "\n")
	r := Report{Outcome: Crash}
	// A race and a failed test let the program go on, a dump ends it: what
	// comes first here is nearest to the end.
	if endsDump(e) && dump(out, &r) || race(out, &r) || failedTest(out, &r) {
		return r
	}
	ended := fmt.Sprintf("exit status %d", e.Exit)
	if e.Signal != 0 {
		ended = fmt.Sprintf("killed by signal %d", e.Signal)
	}
	switch said := words(out, &r); {
	case !said:
		r.Title = ended
	case !endsDump(e):
		r.Title = ended + " (printed: " + r.Title + ")"
	}
	return r
}

// A serial console ends lines with one carriage return or several.
var lineEnds = regexp.MustCompile(`\r+(?:\n|$)`)
