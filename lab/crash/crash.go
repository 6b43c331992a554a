// Package crash says what became of a trial: it turns a program's exit and its
// output into an outcome and a signature. It reads text and runs nothing.
package crash

import (
	"fmt"
	"regexp"
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
	// Empty for a pass.
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

// raceExit is the exit status of a program in which the race detector found
// something and which ended in no other way (exitcode in GORACE).
const raceExit = 66

// Classify decides about a program that ran in a healthy guest.
func Classify(e Evidence) Report {
	if e.TimedOut {
		return Report{Outcome: Hang, Title: "no end within the time limit"}
	}
	if e.Exit == 0 && e.Signal == 0 {
		return Report{Outcome: Pass}
	}
	out := lineEnds.ReplaceAllString(string(e.Output), "\n")
	r := Report{Outcome: Crash, BadReturn: badReturn(out)}
	// A race and a failed test let the program go on, a dump ends it: what
	// comes first here is nearest to the end.
	order := []func(string, *Report) bool{dump, race, failedTest, words}
	if e.Exit == raceExit {
		order = []func(string, *Report) bool{race, dump, failedTest, words}
	}
	for _, explains := range order {
		if explains(out, &r) {
			return r
		}
	}
	r.Title = fmt.Sprintf("exit status %d", e.Exit)
	if e.Signal != 0 {
		r.Title = fmt.Sprintf("killed by signal %d", e.Signal)
	}
	return r
}

// A serial console ends lines with one carriage return or several.
var lineEnds = regexp.MustCompile(`\r+(?:\n|$)`)
