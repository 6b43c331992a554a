// Package crash says what became of a trial: it turns a program's exit and its
// output into an outcome and a signature. It reads text and runs nothing.
package crash

import (
	"fmt"
	"regexp"
	"strings"
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
	Frames []Frame `json:"frames,omitempty"`
}

// Frame is one line pair of a Go stack.
type Frame struct {
	Func string `json:"func"`
	File string `json:"file"`
	Line int    `json:"line"`
}

// Classify decides about a program that ran in a healthy guest.
func Classify(e Evidence) Report {
	if e.TimedOut {
		return Report{Outcome: Hang, Title: "no end within the time limit"}
	}
	if e.Exit == 0 && e.Signal == 0 {
		return Report{Outcome: Pass}
	}
	r := Report{Outcome: Crash}
	message, rest := headline(string(e.Output))
	r.Frames = stack(rest)
	switch {
	case message != "":
		r.Title = normalise(message)
		if f := culprit(r.Frames); f != "" {
			r.Title += " in " + f
		}
	case e.Signal != 0:
		r.Title = fmt.Sprintf("killed by signal %d", e.Signal)
	default:
		r.Title = fmt.Sprintf("exit status %d", e.Exit)
	}
	return r
}

// headlines are how the Go runtime, its race detector and its test runner begin
// to speak of an end.
var headlines = regexp.MustCompile(`(?m)^(fatal error: .*|panic: .*|SIG[A-Z]+: .*|WARNING: DATA RACE|--- FAIL: \S+|unexpected fault address .*)\r?$`)

// headline returns the line that names the crash and the text after it. Where
// several lines could be meant, the last that a goroutine's stack follows is
// the one that ended the program: earlier ones were recovered from, or were
// just printed.
func headline(out string) (message, rest string) {
	all := headlines.FindAllStringIndex(out, -1)
	if len(all) == 0 {
		return "", ""
	}
	best := all[len(all)-1]
	for i := len(all) - 1; i >= 0; i-- {
		end := len(out)
		if i+1 < len(all) {
			end = all[i+1][0]
		}
		if strings.Contains(out[all[i][1]:end], "\ngoroutine ") {
			best = all[i]
			break
		}
	}
	return strings.TrimRight(out[best[0]:best[1]], "\r"), out[best[1]:]
}

var (
	address = regexp.MustCompile(`0x[0-9a-fA-F]+`)
	number  = regexp.MustCompile(`\b[0-9]{4,}\b`)
	recov   = regexp.MustCompile(` \[recovered.*\]$`)
)

// normalise takes out what differs between two crashes of the same kind.
func normalise(s string) string {
	s = recov.ReplaceAllString(s, "")
	s = address.ReplaceAllString(s, "ADDR")
	s = number.ReplaceAllString(s, "N")
	const most = 200
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "…"
	}
	return printable(s)
}

// printable replaces what could act on a terminal.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 || r == '\ufffd' {
			return '?'
		}
		return r
	}, strings.ToValidUTF8(s, "?"))
}

var (
	funcLine = regexp.MustCompile(`^(\S.*)\([^()]*\)$`)
	fileLine = regexp.MustCompile(`^\t(.+):([0-9]+)(?: \+0x[0-9a-f]+)?(?:\s.*)?$`)
)

// stack reads the first goroutine's frames that text shows.
func stack(text string) []Frame {
	_, text, ok := strings.Cut(text, "\ngoroutine ")
	if !ok {
		return nil
	}
	var frames []Frame
	lines := strings.Split(text, "\n")
	for i := 1; i+1 < len(lines); i++ {
		line := strings.TrimRight(lines[i], "\r")
		if line == "" || strings.HasPrefix(line, "created by ") {
			break
		}
		fn := funcLine.FindStringSubmatch(line)
		at := fileLine.FindStringSubmatch(strings.TrimRight(lines[i+1], "\r"))
		if fn == nil || at == nil {
			continue
		}
		var n int
		fmt.Sscan(at[2], &n)
		frames = append(frames, Frame{Func: printable(fn[1]), File: printable(at[1]), Line: n})
		i++
	}
	return frames
}

// culprit is the innermost function that is not the runtime's.
func culprit(frames []Frame) string {
	for _, f := range frames {
		if !strings.HasPrefix(f.Func, "runtime.") && !strings.HasPrefix(f.Func, "internal/runtime/") && f.Func != "panic" {
			return f.Func
		}
	}
	return ""
}
