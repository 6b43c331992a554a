package crash

import (
	"regexp"
	"strings"
)

// headlines are how the Go runtime begins to speak of an end.
var headlines = regexp.MustCompile(`(?m)^(?:fatal error: .*|panic: .*|SIG[A-Z0-9]+: .*|unexpected fault address .*)$`)

// midline finds a headline behind output without a newline. What follows tells
// it from a program's own words.
var midline = regexp.MustCompile(`(?m)((?:fatal error|panic): .*)\n(?:\n|\[signal |\t)`)

// dumpLine is what a runtime prints between the headline and the program's end.
// Anything else there means that the program went on.
var dumpLine = regexp.MustCompile(`^(?:|\t.*|goroutine [0-9]+ .*|runtime stack:|created by .*|\[signal .*|runtime: .*|-----|PC=.*|[a-z0-9]+ +0x[0-9a-f]+|0x[0-9a-f]+: .*|stack: .*|traceback: .*|\.\.\..*|\S.*\(.*\)|signal .*)$`)

// dying is a headline with all text before and after its line.
type dying struct {
	before, message, rest string
	// stacks are those that belong to it; empty where the headline is all there is.
	stacks []stack
}

// headline returns the line that names the crash. Where several lines could be
// meant, the last that a runtime's stack follows is the one that ended the
// program: earlier ones were recovered from, or were just printed.
func headline(out string) (d dying, ok bool) {
	all := headlines.FindAllStringIndex(out, -1)
	for i := len(all) - 1; i >= 0; i-- {
		end := len(out)
		if i+1 < len(all) {
			end = all[i+1][0]
		}
		if len(stacks(out[all[i][1]:end])) > 0 {
			return newDying(out, all[earliest(out, all, i)]), true
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

func newDying(out string, at []int) dying {
	rest := out[at[1]:]
	return dying{before: out[:at[0]], message: out[at[0]:at[1]], rest: rest, stacks: stacks(rest)}
}

// earliest goes back from headline i to the one that began the same dump. Other
// threads that crash meanwhile add headlines of theirs, and with GOTRACEBACK=crash
// each thread is sent SIGQUIT and reports it.
func earliest(out string, all [][]int, i int) int {
	for ; i > 0; i-- {
		between := out[all[i-1][1]:all[i][0]]
		for line := range strings.Lines(between) {
			if !dumpLine.MatchString(strings.TrimSuffix(line, "\n")) {
				return i
			}
		}
		// A panic without a stack was recovered from; a throw cannot be.
		throws := strings.HasPrefix(out[all[i-1][0]:], "fatal error: ") && strings.HasPrefix(out[all[i][0]:], "fatal error: ")
		if !throws && len(stacks(between)) == 0 {
			return i
		}
	}
	return i
}
