package explain

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/go-delve/delve/pkg/proc/linutil"

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

// given finds the words of a checker.
func (q *inquiry) given(f travel.Frame, k checker) ([]*origin, error) {
	v := q.out.Victim
	r, err := q.begun(f, v.ID)
	if err != nil {
		return nil, err
	}
	addr := r.Regs[k.param]
	if addr == 0 || k.field == "" {
		if v.At, err = q.m.Now(); err != nil {
			return nil, err
		}
		v.Did = fmt.Sprintf("gave %#x to %s", addr, f.Func)
		return q.origins(k.param, map[uint64]bool{})
	}
	typ, err := q.pointed(addr)
	if err != nil {
		return nil, err
	}
	offset, size, ok := q.m.Field(typ, k.field)
	if !ok {
		return nil, &NotFoundError{fmt.Sprintf("%s has no field %s in this release of Go", typ, k.field)}
	}
	o := &origin{name: typ + "." + k.field, addr: addr + offset, size: size, base: travel.None, frame: f}
	if err := q.m.Go(v.At); err != nil {
		return nil, err
	}
	if k.own {
		_, err := q.written(o.addr, size, func(uint64, uint64) (bool, error) {
			id, err := q.m.ID()
			return id == v.ID, err
		})
		if err != nil {
			return nil, err
		}
	}
	if o.value, err = q.m.Uint(o.addr, size); err != nil {
		return nil, err
	}
	o.at, err = q.m.Now()
	v.At, v.Did = o.at, fmt.Sprintf("found %s to be %#x", o.name, o.value)
	return []*origin{o}, err
}

// begun goes back to the beginning of a goroutine's call, where its parameters are
// in registers.
func (q *inquiry) begun(f travel.Frame, goroutine int64) (*linutil.ARM64PtraceRegs, error) {
	if err := q.m.Last(q.in(f, goroutine), travel.At(f.Entry)); err != nil {
		return nil, q.lost("the beginning of "+f.Func, err)
	}
	return q.m.Registers()
}

// pointed is the type that a pointer among the parameters of the moment's call
// points to.
func (q *inquiry) pointed(addr uint64) (string, error) {
	top, err := q.m.Top()
	if err != nil {
		return "", err
	}
	vars, err := q.m.Vars(top)
	if err != nil {
		return "", err
	}
	for _, v := range vars {
		if typ, pointer := strings.CutPrefix(v.Type, "*"); pointer && v.Readable && v.Pointer == addr {
			return typ, nil
		}
	}
	return "", &NotFoundError{"the program does not say what " + top.Func + " was given"}
}

// reference is the word in which the runtime found a pointer to what is not
// there: badPointer(s *mspan, p, refBase, refOff uintptr) in runtime/mbitmap.go.
func (q *inquiry) reference(f travel.Frame) ([]*origin, error) {
	v := q.out.Victim
	r, err := q.begun(f, v.ID)
	if err != nil {
		return nil, err
	}
	p, base, offset := r.Regs[1], r.Regs[2], r.Regs[3]
	v.Did = fmt.Sprintf("found %#x, which points to no object", p)
	if base == 0 {
		return q.origins(1, map[uint64]bool{})
	}
	return q.referred(base+offset, f)
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

// blameLast makes the culprit of who wrote words last before they were read.
func (q *inquiry) blameLast(words []*origin) error {
	last, err := q.lastWriter(words, q.out.Victim.ID)
	if err != nil || last == nil {
		return err
	}
	return q.blame(last, q.out.Victim.At)
}

// lastWriter finds who wrote words last before they were read. Of several it is the
// last, if possible one that is not the reader, and nil for none of the program's.
func (q *inquiry) lastWriter(words []*origin, reader int64) (last *Side, err error) {
	other := func(s *Side) bool { return s.ID != reader }
	for i, o := range words {
		if slices.ContainsFunc(words[:i], func(w *origin) bool { return w.addr == o.addr && w.at == o.at }) {
			continue
		}
		s, err := q.word(o)
		if err != nil {
			return nil, err
		}
		if s == nil || !slices.ContainsFunc(s.Stack, ofProgram) {
			continue // what the runtime keeps for itself
		}
		if last == nil || other(s) && !other(last) || other(s) == other(last) && s.At > last.At {
			last = s
		}
	}
	return last, nil
}

// ofProgram says whether a call is not one of the runtime's.
func ofProgram(f travel.Frame) bool { return !strings.HasPrefix(f.Func, "runtime.") }
