package crash

import (
	"regexp"
	"strings"
)

// timedOut is how package testing's alarm begins; the limit follows.
const timedOut = "panic: test timed out after "

var (
	failLine    = regexp.MustCompile(`(?m)^ *--- FAIL: (\S+)(?: \([0-9.]+s\))?$`)
	runningLine = regexp.MustCompile(`^\t+(\S+) \([0-9a-zµ.]+\)$`)
)

// failedTest explains an end by the first test that failed, or its first
// subtest that did: go test reports those after it.
func failedTest(out string, r *Report) bool {
	name := ""
	for _, m := range failLine.FindAllStringSubmatch(out, -1) {
		if name == "" || strings.HasPrefix(m[1], name+"/") {
			name = m[1]
		}
	}
	if name != "" {
		r.Title = "--- FAIL: " + normalise(name)
	}
	return name != ""
}

// stuckTest returns the test that the alarm found running, the innermost of the
// first, and the frames in which it waits. Those of the alarm say nothing. Where
// no test is named, it is the function that waits.
func stuckTest(d dying) (name string, frames []Frame) {
	for line := range strings.Lines(d.rest) {
		line = strings.TrimSuffix(line, "\n")
		if stackLine.MatchString(line) {
			break
		}
		if m := runningLine.FindStringSubmatch(line); m != nil && (name == "" || strings.HasPrefix(m[1], name+"/")) {
			name = m[1]
		}
	}
	frames = runningTest(d.stacks)
	if name == "" {
		name = place(d.message, frames)
	}
	return name, frames
}

// runningTest returns the frames of the first test that does not itself wait for
// a subtest.
func runningTest(all []stack) []Frame {
	for _, s := range all {
		if calls(s.frames, "testing.tRunner") && !calls(s.frames, "testing.(*T).Run") {
			return s.frames
		}
	}
	return nil
}
