package crash

import (
	"regexp"
	"slices"
	"strings"
)

// headlines are how the Go runtime begins to speak of an end.
var headlines = regexp.MustCompile(`(?m)^(?:fatal error: .*|panic: .*|SIG[A-Z0-9]+: .*|unexpected fault address .*)$`)

// midline finds a headline behind output without a newline. What follows tells
// it from a program's own words.
var midline = regexp.MustCompile(`(?m)((?:fatal error|panic): .*)\n(?:\n|\[signal |\t)`)

// stackStart is where a stack may begin, as stackLine has it.
var stackStart = regexp.MustCompile(`(?m)^\n(?:runtime stack:|goroutine [0-9]+ [^\[\n]*\[.*\].*:)$`)

// dumpLine is what a runtime prints between the headline and the program's end.
// Anything else there means that the program went on.
var dumpLine = regexp.MustCompile(`^(?:|\t.*|goroutine [0-9]+ .*|runtime stack:|created by .*|\[signal .*|runtime: .*|-----|PC=.*|[a-z0-9]+ +0x[0-9a-f]+|0x[0-9a-f]+: .*|stack: .*|traceback: .*|\.\.\..*|\S.*\(.*\)|signal .*)$`)

// dying is a headline with the text around its line.
type dying struct {
	// before is what its process printed, as far as that can be told from another's
	// dump before it.
	before, message, rest string
	// stacks are those that belong to it; empty where the headline is all there is.
	stacks []stack
}

// headline returns the line that names the crash. Where several lines could be
// meant, the last that a runtime's stack follows is the one that ended the
// program: earlier ones were recovered from, were another process's, or were just
// printed.
func headline(out string) (d dying, ok bool) {
	all := found(out)
	for i := len(all) - 1; i >= 0; i-- {
		if len(stacks(upToNext(out, all, i))) > 0 {
			first := earliest(out, all, i)
			d = newDying(out, all[first])
			if first > 0 {
				d.before = d.before[dumpEnd(out[:all[first][0]], all[first-1][1]):]
			}
			return d, true
		}
	}
	mid := midline.FindAllStringSubmatchIndex(out, -1)
	for i, m := range mid {
		end := len(out)
		if i+1 < len(mid) {
			end = mid[i+1][2]
		}
		if len(stacks(out[m[3]:end])) > 0 {
			return newDying(out, m[2:4]), true
		}
	}
	if len(all) == 0 {
		return dying{}, false
	}
	return newDying(out, all[len(all)-1]), true
}

// found returns where headlines are: at the beginnings of lines, and elsewhere in a
// line where a dump is behind it and another one before it. What stands in the middle
// of a line without that may be a part of a message.
func found(out string) (all [][]int) {
	begins, within, dumps := headlines.FindAllStringIndex(out, -1), midline.FindAllStringSubmatchIndex(out, -1), stackStart.FindAllStringIndex(out, -1)
	dumped := func(from, to int) bool {
		i, _ := slices.BinarySearchFunc(dumps, from, func(d []int, pos int) int { return d[0] - pos })
		return i < len(dumps) && dumps[i][0] < to
	}
	for len(begins)+len(within) > 0 {
		if len(within) == 0 || len(begins) > 0 && begins[0][0] <= within[0][2] {
			all, begins = append(all, begins[0]), begins[1:]
			continue
		}
		at, next := within[0][2:4], len(out)
		if within = within[1:]; len(within) > 0 {
			next = within[0][2]
		}
		if len(begins) > 0 {
			next = min(next, begins[0][0])
		}
		if n := len(all); n > 0 && at[0] >= all[n-1][1] && dumped(all[n-1][1], at[0]) && dumped(at[1], next) {
			all = append(all, at)
		}
	}
	return all
}

// upToNext is what follows headline i, up to the next one.
func upToNext(out string, all [][]int, i int) string {
	if i+1 < len(all) {
		return out[all[i][1]:all[i+1][0]]
	}
	return out[all[i][1]:]
}

func newDying(out string, at []int) dying {
	rest := out[at[1]:]
	return dying{before: out[:at[0]], message: out[at[0]:at[1]], rest: rest, stacks: stacks(rest)}
}

// dumpEnd is where the last stack of a text ends, counted from its beginning, at
// least from.
func dumpEnd(text string, from int) int {
	end := from
	for line := range strings.Lines(text[from:]) {
		from += len(line)
		if fileLine.MatchString(strings.TrimSuffix(line, "\n")) {
			end = from
		}
	}
	return end
}

// earliest goes back from headline i to the one that began the same dump. Other
// threads that crash meanwhile add headlines of theirs, and with GOTRACEBACK=crash
// each thread is sent SIGQUIT and reports it.
func earliest(out string, all [][]int, i int) int {
	younger := stacks(upToNext(out, all, i))
	for ; i > 0; i-- {
		between := out[all[i-1][1]:all[i][0]]
		for line := range strings.Lines(between) {
			if !dumpLine.MatchString(strings.TrimSuffix(line, "\n")) {
				return i
			}
		}
		// A panic without a stack was recovered from; a throw cannot be.
		throws := strings.HasPrefix(out[all[i-1][0]:], "fatal error: ") && strings.HasPrefix(out[all[i][0]:], "fatal error: ")
		older := stacks(between)
		if len(older) == 0 && !throws {
			return i
		}
		message := out[all[i][0]:all[i][1]]
		relayed := strings.HasPrefix(message, "SIGQUIT: ") && strings.HasSuffix(between, relay)
		if len(older) > 0 && !relayed && !together(message, older, younger) {
			return i
		}
		younger = slices.Concat(older, younger)
	}
	return i
}

// relay is what a dump says before the next thread is sent SIGQUIT, see crash() of
// runtime/signal_unix.go.
const relay = "\n-----\n\n"

// together says whether two dumps, one right after the other, can be of one process:
// a thread that crashes while another one prints its dump waits, and then prints the
// stack of its own goroutine alone (runtime/panic.go, dopanic_m). Else the first is of
// another process, such as a child whose words the program passes on.
func together(message string, older, younger []stack) bool {
	if strings.HasSuffix(message, "- deadlock!") {
		return false // a process that prints a dump is not asleep
	}
	if !younger[0].runtimes() && !younger[0].running() {
		return true // the rest of the first dump, in which the headline came between
	}
	crashed, other := firstOf(older), firstOf(younger)
	listed := false
	for _, y := range younger {
		for _, o := range older {
			switch {
			case o.runtimes() || o.id != y.id || len(y.frames) == 0:
			case y.id != other || y.id == crashed:
				return false
			case o.running() && len(o.frames) == 0:
				listed = true // as one of another thread
			}
		}
	}
	// Two throws at the same time are common, as two goroutines find one broken map. A
	// panic that meets another crash is rare, and one about a child's crash is not.
	return listed || !strings.HasPrefix(message, "panic: ")
}

// firstOf is the number of the goroutine that a dump is of.
func firstOf(all []stack) string {
	for _, s := range all {
		if !s.runtimes() {
			return s.id
		}
	}
	return ""
}
