package explain

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"ghostlab/gdb/travel"
)

// preserving are functions of the runtime that the compiler calls without
// putting registers aside: none comes out of them with a new value that the
// caller goes on with.
var preserving = []string{"runtime.gcWriteBarrier", "runtime.duff", "runtime.morestack", "runtime.racefuncenter", "runtime.racefuncexit"}

// call is the innermost call of the moment, and the goroutine's number.
func (q *inquiry) call() (travel.Frame, int64, error) {
	frame, err := q.m.Top()
	if err != nil {
		return frame, 0, err
	}
	id, err := q.m.ID()
	return frame, id, err
}

// defined goes back to the instruction of this call that gave a register its
// value, or to the call's beginning: entry tells which. The machine stands
// before it.
func (q *inquiry) defined(register int) (entry bool, err error) {
	frame, id, err := q.call()
	if err != nil {
		return false, err
	}
	r, err := q.m.Registers()
	if err != nil {
		return false, err
	}
	if r.Pc == frame.Entry {
		return true, nil
	}
	body, err := q.m.Body(r.Pc)
	if err != nil {
		return false, err
	}
	points, first := []travel.Point{travel.At(frame.Entry)}, false
	for _, i := range body {
		switch gives := q.gives(i, register); {
		case gives && i.Addr == frame.Entry:
			first = true
		case gives:
			points = append(points, travel.At(i.Addr))
		}
	}
	from := r.Pc
	for {
		if err := q.m.Last(q.in(frame, id), points...); err != nil {
			return false, q.lost(fmt.Sprintf("what gave %s its value in %s", travel.RegisterName(register), frame.Func), err)
		}
		if r, err = q.m.Registers(); err != nil {
			return false, err
		}
		if r.Pc == from { // this time, or one before
			if done, err := q.carriedOut(); err != nil {
				return false, err
			} else if !done {
				continue
			}
		}
		return r.Pc == frame.Entry && !first, nil
	}
}

// carriedOut says whether the instruction of the moment is, not interrupted before.
// The machine stays.
func (q *inquiry) carriedOut() (bool, error) {
	at, err := q.m.Now()
	if err != nil {
		return false, err
	}
	if err := q.m.Step(); err != nil {
		return false, err
	}
	user, err := q.m.User()
	return user, errors.Join(err, q.m.Go(at))
}

func (q *inquiry) gives(i travel.Insn, register int) bool {
	if !i.Call() {
		return i.Sets(register)
	}
	name, _, _ := q.m.In(i.Target())
	return !slices.ContainsFunc(preserving, func(p string) bool { return strings.HasPrefix(name, p) })
}

// compared goes back to the comparison that an instruction of the moment's call
// goes by, and returns the registers that it compares.
func (q *inquiry) compared(by travel.Insn) ([]int, error) {
	frame, id, err := q.call()
	if err != nil {
		return nil, err
	}
	body, err := q.m.Body(by.Addr)
	if err != nil {
		return nil, err
	}
	comparisons := travel.Flags(body, by.Addr)
	if len(comparisons) == 0 {
		return nil, nil
	}
	c := comparisons[0]
	if err := q.m.Last(q.in(frame, id), travel.At(c.Addr)); err != nil {
		return nil, q.lost(fmt.Sprintf("`%s` in %s", c, frame.Func), err)
	}
	return c.Compared(), nil
}

// leave goes from a call to the return from it, before that is carried out.
func (q *inquiry) leave(back uint64) error {
	frame, id, err := q.call()
	if err != nil {
		return err
	}
	if err := q.m.Forward(q.in(frame, id), travel.At(back)); err != nil {
		return q.lost("the return from a call", err)
	}
	return q.m.StepBack()
}
