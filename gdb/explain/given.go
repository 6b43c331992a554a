package explain

import (
	"fmt"
	"slices"
	"strings"

	"github.com/go-delve/delve/pkg/proc/linutil"

	"ghostlab/gdb/travel"
)

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

// arguments finds the words that the program's innermost call gave the runtime.
func (q *inquiry) arguments() ([]*origin, error) {
	v := q.out.Victim
	stack := slices.DeleteFunc(slices.Clone(v.Stack), func(f travel.Frame) bool { return f.Inlined })
	i := slices.IndexFunc(stack, outside)
	if i < 1 {
		return nil, &NotFoundError{"the runtime was not called by the program"}
	}
	f := stack[i-1]
	params, err := q.parameters(f.Entry)
	if err != nil {
		return nil, err
	}
	q.seek("what %s was given", f.Func)
	if err := q.m.Go(v.At); err != nil {
		return nil, err
	}
	if _, err := q.begun(f, v.ID); err != nil {
		return nil, err
	}
	at, err := q.m.Now()
	if err != nil {
		return nil, err
	}
	var words []*origin
	for _, n := range params {
		from, err := q.origins(n, map[uint64]bool{})
		if err != nil {
			return nil, err
		}
		words = append(words, from...)
		if err := q.m.Go(at); err != nil {
			return nil, err
		}
	}
	v.Did += ", in a call of " + f.Func
	return q.unspilled(words)
}
