package crash

import (
	"bytes"
	"regexp"
	"strings"
)

var (
	ranLine  = regexp.MustCompile(`(?m)^--- PASS: |^Benchmark\S+\s+[0-9]+\s`)
	passLine = regexp.MustCompile(`(?m)^PASS$`)
	// cutLine is the guest's, where output is too long to be kept whole.
	cutLine  = regexp.MustCompile(`(?m)^lab: [0-9]+ bytes of output are not kept$`)
	skipLine = regexp.MustCompile(`(?m)((?:^ .*\n)*)^--- SKIP: (\S+)`)
)

// Idle returns an *IdleError for the output of a test binary, run with -test.v,
// that ended well and has tested nothing.
func Idle(output []byte) error {
	out := lineEnds.ReplaceAll(output, []byte("\n"))
	switch skip := skipLine.FindSubmatch(out); {
	case ranLine.Match(out), cutLine.Match(out):
		return nil
	case skip != nil:
		return &IdleError{Test: printable(string(skip[2])), Why: printable(clip(strings.TrimSpace(string(skip[1]))))}
	case bytes.Contains(out, []byte("testing: warning: no tests to run\n")), !passLine.Match(out):
		return &IdleError{}
	}
	return nil
}

// IdleError says that a test binary has tested nothing.
type IdleError struct {
	// Test was skipped; empty where none was found. Why is what it said.
	Test, Why string
}

func (e *IdleError) Error() string {
	switch {
	case e.Test == "":
		return "no test has run, which is no pass"
	case e.Why == "":
		return e.Test + " was skipped, which is no pass"
	}
	return e.Test + " was skipped, which is no pass: " + e.Why
}

// BadInput marks what the user can mend, see usage.IsBadInput.
func (*IdleError) BadInput() {}

// Hint says what to do about it.
func (e *IdleError) Hint() string {
	if e.Test == "" {
		return "does -run match a test of the package?"
	}
	return "name other tests with -run, or meet what the test asks for: the guest has no network, no go command and no shell"
}
