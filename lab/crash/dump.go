package crash

import (
	"regexp"
	"strconv"
	"strings"
)

// dump explains an end of which the runtime left a stack.
func dump(out string, r *Report) bool {
	d, ok := headline(out)
	if !ok || len(d.stacks) == 0 {
		return false
	}
	d.explain(r)
	return true
}

// words explains an end by its last headline alone (GOTRACEBACK=none).
func words(out string, r *Report) bool {
	d, ok := headline(out)
	if ok {
		d.explain(r)
	}
	return ok
}

func (d dying) explain(r *Report) {
	r.BadReturn = badReturn(d.before + "\n" + d.rest)
	r.Frames = crashing(d.stacks)
	r.Fault = fault(d.message, d.rest)
	r.Title = normalise(d.message)
	if r.Fault != nil && needsSignal[d.message] {
		r.Title += " (" + r.Fault.Signal + ")"
	}
	in := ""
	switch {
	case strings.HasPrefix(d.message, timedOut):
		var test string
		test, r.Frames = stuckTest(d)
		r.Title, in = strings.TrimSuffix(timedOut, " after "), test
	case d.message == "fatal error: invalid pointer found on stack":
		in = badFrame(d.before)
	case r.Fault != nil && strings.HasPrefix(d.message, "SIG") && r.Fault.Code == 0:
		// Another process sent it, at any moment.
	default:
		in = place(d.message, r.Frames)
	}
	if in != "" {
		r.Title += " in " + printable(clip(in))
	}
}

// needsSignal are messages that are the same whatever the signal was.
var needsSignal = map[string]bool{
	"fatal error: fault": true,
	"fatal error: unexpected signal during runtime execution": true,
}

var (
	signalLine = regexp.MustCompile(`^\[signal (SIG[A-Z0-9]+|0x[0-9a-f]+)\b.* code=(-?[0-9a-fx]+) addr=(0x[0-9a-f]+) pc=(0x[0-9a-f]+)\]$`)
	pcLine     = regexp.MustCompile(`^PC=(0x[0-9a-f]+) m=[0-9]+ sigcode=(-?[0-9]+)(?: addr=(0x[0-9a-f]+))?$`)
	badPCLine  = regexp.MustCompile(`(?m)^runtime: (?:g ?[0-9]+: )?unexpected return pc for (.+) called from (0x[0-9a-f]+)$`)
	badPtrLine = regexp.MustCompile(`(?m)^runtime: bad pointer in frame (.+) at 0x[0-9a-f]+: 0x[0-9a-f]+$`)
)

// fault reads the lines between the headline and the first stack.
func fault(message, rest string) *Fault {
	for line := range strings.Lines(rest) {
		line = strings.TrimSuffix(line, "\n")
		if stackLine.MatchString(line) {
			break
		}
		if m := signalLine.FindStringSubmatch(line); m != nil {
			return &Fault{Signal: m[1], Code: code(m[2]), Addr: m[3], PC: m[4]}
		}
		if m := pcLine.FindStringSubmatch(line); m != nil && strings.HasPrefix(message, "SIG") {
			name, _, _ := strings.Cut(message, ":")
			return &Fault{Signal: name, Code: code(m[2]), Addr: m[3], PC: m[1]}
		}
	}
	return nil
}

// code reads a C int that the runtime prints as 64 unsigned bits.
func code(s string) int32 {
	if n, err := strconv.ParseInt(s, 0, 64); err == nil {
		return int32(n)
	}
	n, _ := strconv.ParseUint(s, 0, 64)
	return int32(n)
}

func badReturn(out string) *BadReturn {
	m := badPCLine.FindStringSubmatch(out)
	if m == nil {
		return nil
	}
	return &BadReturn{Func: printable(m[1]), CalledFrom: m[2]}
}

// badFrame is the function whose variable held what is no pointer. The function
// that needed more stack, and so had the stack looked at, is innocent.
func badFrame(before string) string {
	m := badPtrLine.FindAllStringSubmatch(before, -1)
	if m == nil {
		return ""
	}
	return m[len(m)-1][1]
}

func atoi(s string) int {
	n, _ := strconv.Atoi(s)
	return n
}
