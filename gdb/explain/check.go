package explain

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"ghostlab/gdb/travel"
)

// A program that ends by a word of its own, of a library's or of the runtime's
// ends after a check: a comparison of values that the goroutine had read. What
// is to be found are the words of memory that it was about.

var (
	// ending are calls that end a program, or a test.
	ending = regexp.MustCompile(`^(runtime\.((go)?[pP]anic\w+|gopanic|fatalpanic|throw|fatal|exit)|testing\.\(\*common\)\.Fail)$`)
	// saying are calls through which others come to those. They look at what
	// they are given, and nothing else.
	saying = regexp.MustCompile(`^((internal/)?sync\.(fatal|throw)|internal/runtime/maps\.fatal|syscall\.Exit|os\.Exit|log\..+|testing\.\(\*common\)\..+|runtime\.(getitab|badTimer))$`)
)

// checker is a function that checks what it is given.
type checker struct {
	// fn is the end of the function's name: releases move packages to internal.
	fn string
	// param is the number of the parameter, by Go's calling convention that of
	// its register.
	param int
	// field is that of the struct which the parameter points to, "" where the
	// parameter itself is what is wrong.
	field string
	// own is set where the function itself changes the field before it looks:
	// what counts is who did before.
	own bool
}

var checkers = []checker{
	{"runtime.closechan", 0, "closed", false},
	{"runtime.chansend", 0, "closed", false},
	{"sync.(*Mutex).unlockSlow", 0, "state", true},
	{"sync.(*RWMutex).Unlock", 0, "readerCount", true},
	{"sync.(*RWMutex).rUnlockSlow", 0, "readerCount", true},
	{"sync.(*WaitGroup).Add", 0, "state", true},
	{"sync.(*WaitGroup).Wait", 0, "state", false},
	{"runtime.mapassign", 1, "", false},
	{"runtime.mapassign_faststr", 1, "", false},
	{"runtime.mapassign_fast32", 1, "", false},
	{"runtime.mapassign_fast32ptr", 1, "", false},
	{"runtime.mapassign_fast64", 1, "", false},
	{"runtime.mapassign_fast64ptr", 1, "", false},
	{"runtime.makeslice", 1, "", false},
	{"runtime.makechan", 1, "", false},
	{"runtime.assertE2I", 1, "", false},
	{"runtime.typeAssert", 1, "", false},
}

// check explains an end by the check that led to it, and says whether it did.
func (q *inquiry) check(c *crash) (done bool, err error) {
	f, k := q.checking()
	if f == nil {
		return false, nil
	}
	var words []*origin
	switch {
	case f.Func == grows && c.message == overflows:
		return true, q.overflow()
	case f.Func == "runtime.badPointer":
		words, err = q.reference(*f)
	case f.Func == reportZombies:
		words, err = q.zombie(*f)
	case k != nil:
		words, err = q.given(*f, *k)
	default:
		words, err = q.comparison(*f)
	}
	if err == nil {
		err = q.blameLast(words)
	}
	var unknown *NotFoundError
	if err != nil && !errors.As(err, &unknown) || q.out.Culprit != nil || ofProgram(*f) {
		return q.out.Culprit != nil, err
	}
	// What the runtime compared is its own: it went wrong by what it was given.
	words, more := q.arguments()
	if more == nil {
		more = q.blameLast(words)
	}
	if more != nil && !errors.As(more, &unknown) || q.out.Culprit != nil {
		err = more
	}
	return q.out.Culprit != nil, err
}

// checking is the victim's call that found something wrong, nil where none did.
// Of panics during panics it is that of the first.
func (q *inquiry) checking() (*travel.Frame, *checker) {
	stack := q.out.Victim.Stack
	last := -1
	for i, f := range stack {
		if ending.MatchString(f.Func) {
			last = i
		}
	}
	if last < 0 {
		return nil, nil
	}
	first := last
	for first > 0 && (ending.MatchString(stack[first-1].Func) || saying.MatchString(stack[first-1].Func)) {
		first--
	}
	stack, last = stack[first:], last-first
	q.out.Victim.Stack = stack
	for i := last + 1; i < len(stack); i++ {
		for k := range checkers {
			if strings.HasSuffix(stack[i].Func, checkers[k].fn) && !stack[i].Inlined {
				return &stack[i], &checkers[k]
			}
		}
		if !ending.MatchString(stack[i].Func) && !saying.MatchString(stack[i].Func) {
			return &stack[i], nil
		}
	}
	return nil, nil
}

// mostChecks bounds how many checks led to one another: one made a function
// return what the next, in its caller, was about.
const mostChecks = 4

// comparison finds the words that a function compared before it made the call
// on which the program ended.
func (q *inquiry) comparison(f travel.Frame) ([]*origin, error) {
	call := f.PC - 4
	if err := q.m.Last(q.in(f, q.out.Victim.ID), travel.At(call)); err != nil {
		return nil, q.lost("the call in "+f.Func, err)
	}
	words, did, err := q.decided(f, call)
	for range mostChecks {
		if err != nil || !settings(words) {
			break
		}
		// Whether to look at all is what the runtime was told: what it saw comes before.
		words, did, err = q.decided(f, call)
	}
	if err != nil {
		return nil, err
	}
	q.out.Victim.At, err = q.m.Now()
	q.out.Victim.Did += " " + did
	for range mostChecks {
		i := slices.IndexFunc(words, func(o *origin) bool { return o.constant && o.frame.Entry != f.Entry })
		if err != nil || i < 0 || slices.ContainsFunc(words, func(o *origin) bool { return o.why == "" }) {
			break
		}
		// What was compared is a constant that another function chose.
		f = words[i].frame
		if err = q.m.Go(words[i].at); err != nil {
			break
		}
		var more []*origin
		if more, did, err = q.decided(f, f.PC); err == nil {
			words = append(words, more...)
			q.note("%s chose %#x %s", f.Func, words[i].value, did)
		}
	}
	return words, err
}

// settings says whether all that was compared are constants and variables of the
// runtime's own, such as those for GODEBUG.
func settings(words []*origin) bool {
	some := false
	for _, o := range words {
		switch {
		case strings.HasPrefix(o.name, "runtime.") && o.why == "":
			some = true
		case !o.constant:
			return false
		}
	}
	return some
}

// decided finds the words that a call of the victim's compared before it came
// to the instruction of the moment, and says what it compared. The machine
// stands before the comparison in the end.
func (q *inquiry) decided(f travel.Frame, addr uint64) (words []*origin, did string, err error) {
	body, err := q.m.Body(addr)
	if err != nil {
		return nil, "", err
	}
	decides := func(i travel.Insn) bool { return travel.Decides(body, i, addr, q.final) }
	return q.branched(f, q.out.Victim.ID, body, decides)
}

// branched finds the words that a goroutine's call compared for the last of those
// branches of its body that are wanted, and says what it compared. The machine stands
// before the comparison in the end.
func (q *inquiry) branched(f travel.Frame, id int64, body []travel.Insn, wanted func(travel.Insn) bool) (words []*origin, did string, err error) {
	var points []travel.Point
	for _, i := range body {
		if i.Branch() && wanted(i) {
			points = append(points, travel.At(i.Addr))
		}
	}
	if len(points) == 0 {
		return nil, "", &NotFoundError{f.Func + " came there without a check"}
	}
	if err := q.m.Last(q.in(f, id), points...); err != nil {
		return nil, "", q.lost("the check in "+f.Func, err)
	}
	r, err := q.m.Registers()
	if err != nil {
		return nil, "", err
	}
	branch, err := q.m.Insn(r.Pc)
	if err != nil {
		return nil, "", err
	}
	comparisons := []travel.Insn{branch}
	if branch.Flagged() {
		comparisons = travel.Flags(body, branch.Addr)
	}
	var text []string
	for _, c := range comparisons {
		if c.Addr != branch.Addr {
			if err := q.m.Last(q.in(f, id), travel.At(c.Addr)); err != nil {
				return nil, "", q.lost(fmt.Sprintf("`%s` in %s", c, f.Func), err)
			}
		}
		at, err := q.m.Now()
		if err != nil {
			return nil, "", err
		}
		for _, n := range c.Compared() {
			held, err := q.m.Value(n)
			if err != nil {
				return nil, "", err
			}
			text = append(text, c.Shown(n, held))
		}
		for _, n := range c.Compared() {
			from, err := q.origins(n, map[uint64]bool{})
			if err != nil {
				return nil, "", err
			}
			words = append(words, from...)
			if err := q.m.Go(at); err != nil {
				return nil, "", err
			}
		}
	}
	line, _, _ := strings.Cut(comparisons[0].String(), ", .") // where to
	did = fmt.Sprintf("by `%s`", line)
	if text != nil {
		did += ", where " + strings.Join(text, " and ")
	}
	return words, did, nil
}

// final says whether a call never returns. After one that makes the stack larger
// the function begins again, which decides nothing.
func (q *inquiry) final(call travel.Insn) bool {
	name, _, _ := q.m.In(call.Target())
	return ending.MatchString(name) || strings.HasPrefix(name, "runtime.morestack")
}

// ofProgram says whether a call is not one of the runtime's.
func ofProgram(f travel.Frame) bool { return !strings.HasPrefix(f.Func, "runtime.") }
