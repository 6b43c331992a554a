package crash

import (
	"regexp"
	"strings"
)

const raceHeadline = "WARNING: DATA RACE"

var (
	// The detector indents: `  main.f()`, then `      main.go:12 +0x44`.
	raceFunc = regexp.MustCompile(`^  (\S.*)\([^()]*\)$`)
	raceFile = regexp.MustCompile(`^      (.+):([0-9]+) \+0x[0-9a-f]+$`)
)

// race explains an end by the race detector's first report, and lays it at the
// access that was noticed: which of the two that is, is a matter of chance.
func race(out string, r *Report) bool {
	lines := strings.Split(out, "\n")
	for i, line := range lines {
		if line != raceHeadline {
			continue
		}
		r.Title = raceHeadline
		r.Frames = readFrames(lines[i+1:], raceFunc, raceFile)
		if f := place(raceHeadline, r.Frames); f != "" {
			r.Title += " in " + printable(clip(f))
		}
		return true
	}
	return false
}
