package crash

import (
	"regexp"
	"slices"
	"strings"
)

// stack is what a dump shows of one goroutine.
type stack struct {
	// id is empty for `runtime stack:`, which is g0's, and 0 for g0 as well.
	id     string
	state  string // such as "running" or "chan receive, 2 minutes"
	frames []Frame
}

func (s stack) runtimes() bool { return s.id == "" || s.id == "0" }

func (s stack) running() bool { return strings.HasPrefix(s.state, "running") }

var (
	stackLine = regexp.MustCompile(`^(?:runtime stack:|goroutine ([0-9]+) [^\[]*\[(.*)\].*:)$`)
	funcLine  = regexp.MustCompile(`^(\S.*)\([^()]*\)$`)
	fileLine  = regexp.MustCompile(`^\t(.+):([0-9]+)(?: \+0x[0-9a-f]+)?(?:\s.*)?$`)
)

// stacks reads the stacks of a dump. The runtime sets an empty line before each;
// a program that logs the stack of a recovered panic does not, or shows itself
// by calling runtime/debug.
func stacks(text string) []stack {
	var all []stack
	lines := strings.Split(text, "\n")
	for i := 1; i < len(lines); i++ {
		m := stackLine.FindStringSubmatch(lines[i])
		if m == nil || lines[i-1] != "" {
			continue
		}
		frames := readFrames(lines[i+1:], funcLine, fileLine)
		if len(frames) > 0 && frames[0].Func == "runtime/debug.Stack" {
			continue
		}
		all = append(all, stack{id: m[1], state: m[2], frames: frames})
	}
	return all
}

// readFrames reads pairs of lines up to an empty one, passing over what the
// runtime says between them.
func readFrames(lines []string, fn, file *regexp.Regexp) []Frame {
	var frames []Frame
	for i := 0; i < len(lines); i++ {
		if lines[i] == "" || strings.HasPrefix(lines[i], "created by ") {
			break
		}
		f := fn.FindStringSubmatch(lines[i])
		if f == nil || i+1 == len(lines) {
			continue
		}
		at := file.FindStringSubmatch(lines[i+1])
		if at == nil {
			continue
		}
		frames = append(frames, Frame{Func: printable(f[1]), File: printable(at[1]), Line: atoi(at[2])})
		i++
	}
	return frames
}

// crashing returns the frames that led to the crash. A dump's first stack is the
// one of the crash, save for these.
func crashing(all []stack) []Frame {
	if len(all) == 0 {
		return nil
	}
	frames := all[0].frames
	switch {
	case !all[0].runtimes():
	case calls(frames, "runtime.checkdead"):
		// The thread that notices a deadlock is not in it. Go prints the main
		// goroutine next, unless that has ended.
		frames = nil
		for _, s := range all {
			if s.id == "1" {
				frames = s.frames
			}
		}
	case len(all) > 1 && entered(frames):
		// Go prints the goroutine that entered the runtime's stack next.
		frames = slices.Concat(frames, all[1].frames)
	}
	if calls(frames, "testing.(*T).Run") && calls(frames, "testing.(*M).Run") {
		if t := runningTest(all); t != nil {
			return t
		}
	}
	return frames
}

// entered reports whether a goroutine called into this stack of the runtime, as
// opposed to a thread that schedules or watches.
func entered(frames []Frame) bool {
	if len(frames) == 0 {
		return false
	}
	f := frames[len(frames)-1].Func
	return f == "runtime.systemstack" || strings.HasPrefix(f, "runtime.morestack")
}

func calls(frames []Frame, fn string) bool {
	return slices.ContainsFunc(frames, func(f Frame) bool { return f.Func == fn })
}
