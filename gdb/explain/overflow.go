package explain

import (
	"fmt"
	"slices"
	"strings"

	"ghostlab/gdb/travel"
)

// grows is the runtime's function that makes a stack larger, and overflows its
// word for one that may not be.
const (
	grows     = "runtime.newstack"
	overflows = "stack overflow"
)

// activation is a call on a stack, as its frame pointers tell it: where it goes on, and
// the stack pointer with which that function goes on there.
type activation struct {
	pc, sp uint64
	fn     string
}

// mostCalls bounds how many calls are counted: 100 bytes each make 50 MB of stack.
const mostCalls = 500_000

// recursion is what filled a stack.
type recursion struct {
	calls []activation // from the innermost on
	whole bool         // the outermost is the last
	// fn is the function that calls itself, round the calls from one of it to
	// the next, innermost first, and times how often it is there.
	fn    string
	round []activation
	times int
}

// overflow explains a stack that is full: what calls itself, who called that
// first, and who wrote the pointers that the calls followed round and round.
func (q *inquiry) overflow() error {
	v := q.out.Victim
	r, err := q.full()
	if err != nil {
		return err
	}
	v.Did = fmt.Sprintf("called %s until its stack was full", r.fn)
	if err := q.shorten(r); err != nil {
		return err
	}
	words, err := q.passed(r)
	if err != nil {
		return err
	}
	culprit, err := q.lastWriter(words, v.ID)
	if err != nil {
		return err
	}
	if culprit == nil {
		q.note("no word was found that it went on for: what is known are the calls")
		return nil
	}
	return q.blame(culprit, v.At)
}

// full reads the calls on the stack that is full at the moment, which is that of
// the goroutine that the thread works for.
func (q *inquiry) full() (*recursion, error) {
	regs, err := q.m.Registers()
	if err != nil {
		return nil, err
	}
	m, _ := q.m.FieldValue("runtime.g", "m", regs.Regs[goroutine])
	g, _ := q.m.FieldValue("runtime.m", "curg", m)
	_, hi, known := q.bounds(g)
	sched, _, ok := q.m.Field("runtime.g", "sched")
	saved := map[string]uint64{}
	for _, name := range []string{"pc", "lr", "sp", "bp"} {
		value, has := q.m.FieldValue("runtime.gobuf", name, g+sched)
		saved[name], ok = value, ok && has
	}
	if g == 0 || !known || !ok {
		return nil, &NotFoundError{"the runtime does not tell whose stack was full"}
	}
	// The innermost function has not begun its frame yet.
	r := &recursion{}
	add := func(pc, sp uint64) bool {
		fn, _, ok := q.m.In(pc)
		if ok {
			r.calls = append(r.calls, activation{pc, sp, fn})
		}
		return ok
	}
	add(saved["pc"], saved["sp"])
	pc, fp := saved["lr"], saved["bp"]
	for len(r.calls) < mostCalls && add(pc, fp+8) {
		// A frame pointer points to the caller's, which is just below the place of
		// the address to return to.
		next, err := q.m.Uint(fp, 8)
		if err != nil {
			return nil, err
		}
		if pc, err = q.m.Uint(fp+8, 8); err != nil {
			return nil, err
		}
		if next <= fp || next >= hi {
			add(pc, 0)
			r.whole = true
			break
		}
		fp = next
	}
	return r, r.repeats()
}

// repeats finds what the calls have in common.
func (r *recursion) repeats() error {
	times := map[string]int{}
	for _, c := range r.calls {
		times[c.fn]++
	}
	first := -1
	for i, c := range r.calls {
		if !strings.HasPrefix(c.fn, "runtime.") && times[c.fn] > r.times {
			r.fn, r.times, first = c.fn, times[c.fn], i
		}
	}
	if r.times < 2 {
		return &NotFoundError{"no function is on the stack twice: its frames are too large, not too many"}
	}
	next := first + 1
	for r.calls[next].fn != r.fn {
		next++
	}
	r.round = r.calls[first:next]
	return nil
}

// outermost is the index of the first call of the function that calls itself.
func (r *recursion) outermost() int {
	last := 0
	for i, c := range r.calls {
		if c.fn == r.fn {
			last = i
		}
	}
	return last
}

// shorten leaves one round of the victim's stack, and what was called before.
func (q *inquiry) shorten(r *recursion) error {
	v := q.out.Victim
	names := make([]string, 0, len(r.round))
	for _, c := range slices.Backward(r.round) {
		names = append(names, c.fn)
	}
	more := ""
	if !r.whole {
		more = "more than "
	}
	text := fmt.Sprintf("%s is on the stack %s%s times, each by way of %s", r.fn, more, thousands(int64(r.times)), strings.Join(names, ", "))
	if len(names) == 1 {
		text = fmt.Sprintf("%s is on the stack %s%s times, and calls itself", r.fn, more, thousands(int64(r.times)))
	}
	// The stack that was read has 100 calls. It may begin within a round.
	seen, cut := 0, -1
	for i, f := range v.Stack {
		if f.Func == r.fn && !f.Inlined {
			if seen++; seen == 2 {
				cut = i
				break
			}
		}
	}
	if cut < 0 {
		q.note("%s", text)
		return nil
	}
	last := r.outermost()
	if !r.whole || r.calls[last].sp == 0 {
		v.Stack, v.Cut = v.Stack[:cut], text
		return nil
	}
	// The machine stands at the end still.
	if err := q.m.Go(v.At); err != nil {
		return err
	}
	q.m.Suppose(r.calls[last].pc-4, r.calls[last].sp)
	outer, err := q.m.Goroutine()
	if err != nil {
		return err
	}
	v.Stack = append(v.Stack[:cut:cut], outer.Stack...)
	v.Cut = outer.Cut
	in := func(c activation) bool {
		return slices.ContainsFunc(r.round, func(o activation) bool { return o.fn == c.fn })
	}
	if at := slices.IndexFunc(r.calls[last:], func(c activation) bool { return !in(c) }); at >= 0 {
		text += ": it began in " + r.calls[last+at].fn
	}
	q.note("%s", text)
	return q.m.Go(v.At)
}

// Bounds of looking for what was passed on: how many calls are looked at, and of
// how many of them it is followed where it came from.
const (
	mostRounds   = 12
	mostFollowed = 6
)

// passed finds the words that the function which calls itself was given again and
// again: the pointers that lead round.
func (q *inquiry) passed(r *recursion) ([]*origin, error) {
	v := q.out.Victim
	entry, ok := q.m.Function(r.fn)
	if !ok {
		return nil, nil
	}
	type begin struct {
		at   int64
		regs [31]uint64
	}
	var begins []begin
	q.seek("what %s was given", r.fn)
	of := q.of(v.ID)
	for i := 0; i+1 < len(r.calls) && len(begins) < mostRounds; i++ {
		if r.calls[i].fn != r.fn {
			continue
		}
		sp := r.calls[i+1].sp
		err := q.m.Last(func() (bool, error) {
			regs, err := q.m.Registers()
			if err != nil || regs.Sp != sp {
				return false, err
			}
			return of()
		}, travel.At(entry))
		if lost := q.lost("a call", err); lost != nil {
			if _, none := lost.(*NotFoundError); none {
				break
			}
			return nil, err
		}
		regs, err := q.m.Registers()
		if err != nil {
			return nil, err
		}
		at, err := q.m.Now()
		if err != nil {
			return nil, err
		}
		begins = append(begins, begin{at, regs.Regs})
	}
	params, err := q.parameters(entry)
	if err != nil {
		return nil, err
	}
	var words []*origin
	for _, n := range params {
		var values []uint64
		for _, b := range begins {
			values = append(values, b.regs[n])
		}
		// The innermost calls may be those of an end that the round goes past.
		skip, period := settled(values)
		values = values[skip:]
		if period == 0 || !plausible(values[0]) {
			continue
		}
		for _, b := range begins[skip : skip+min(period, mostFollowed)] {
			if err := q.m.Go(b.at); err != nil {
				return nil, err
			}
			from, err := q.origins(n, map[uint64]bool{})
			if err != nil {
				return nil, err
			}
			words = append(words, from...)
		}
		if period > 1 {
			q.note("%s was given the same %d values again and again: %s", r.fn, period, hex(values[:period]))
		}
	}
	return words, nil
}

func hex(values []uint64) string {
	var text []string
	for _, v := range values {
		text = append(text, fmt.Sprintf("%#x", v))
	}
	return strings.Join(text, ", ")
}

// period is after how many values they come again, 0 where they do not.
func period(values []uint64) int {
	for p := 1; 2*p <= len(values); p++ {
		if slices.Equal(values[p:], values[:len(values)-p]) {
			return p
		}
	}
	return 0
}

// settled is period after as few of the first values as need be, at most a third.
func settled(values []uint64) (skip, after int) {
	for skip = 0; skip <= len(values)/3; skip++ {
		if after = period(values[skip:]); after > 0 {
			return skip, after
		}
	}
	return 0, 0
}

// registersOfParameters is how many registers parameters can be in by Go's calling
// convention.
const registersOfParameters = 16

// parameters are the registers that a function reads before it gives them values
// or calls others.
func (q *inquiry) parameters(entry uint64) (params []int, err error) {
	body, err := q.m.Body(entry)
	if err != nil {
		return nil, err
	}
	set := map[int]bool{}
	for _, i := range body {
		for n := range registersOfParameters {
			if !set[n] && !slices.Contains(params, n) && i.Reads(n) {
				params = append(params, n)
			}
		}
		for n := range registersOfParameters {
			set[n] = set[n] || i.Sets(n)
		}
		if i.Call() {
			break
		}
	}
	slices.Sort(params)
	return params, nil
}
