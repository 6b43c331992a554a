package explain

import (
	"errors"
	"fmt"
	"slices"

	"ghostlab/gdb/travel"
)

// origin is where a register's value came from.
type origin struct {
	// name is what the program calls the word, where that is known, and header
	// the address of the slice, string or interface that it is one of.
	name   string
	header uint64
	// addr and size are the word in memory that it was read from.
	addr uint64
	size int
	// base is the register that held the word's address, or travel.None.
	base int
	// value is what was followed.
	value uint64
	// at is the moment before that.
	at int64
	// frame is the call in which that happened.
	frame travel.Frame
	// parts are the registers that it was computed from at that moment, where
	// there are several.
	parts []int
	// why is set where it came from no word that others could write, constant
	// where the program's code has it.
	why      string
	constant bool
}

// mostOffset is more than nearly all fields are away from the pointer to their struct.
const mostOffset = 64 << 10

// mostHops bounds how many instructions a value is followed through.
const mostHops = 24

// origin follows the value of a register back, from before the instruction of
// the moment, through copies, calls and spills, to the word of memory that it
// was read from. Of what an address was computed from that is the largest part, but for
// what is added to nil. The machine stands before that read in the end.
func (q *inquiry) origin(register int) (*origin, error) {
	been := map[uint64]bool{}
	o, err := q.follow(register, been)
	for err == nil && o.parts != nil {
		value, register, largest := o.value, o.parts[0], uint64(0)
		for _, n := range o.parts {
			held, err := q.m.Value(n)
			if err != nil {
				return nil, err
			}
			if held == 0 && value < mostOffset {
				register = n
				break
			}
			if held > largest {
				register, largest = n, held
			}
		}
		if o, err = q.follow(register, been); o != nil {
			o.value = value
		}
	}
	return o, err
}

// mostLeaves bounds how many words a value is said to come from.
const mostLeaves = 4

// origins is origin for all parts of a value. been are the computations that it
// was followed through.
func (q *inquiry) origins(register int, been map[uint64]bool) ([]*origin, error) {
	o, err := q.follow(register, been)
	if err != nil || o.parts == nil {
		return []*origin{o}, err
	}
	var all []*origin
	for _, part := range o.parts {
		if len(all) >= mostLeaves {
			break
		}
		if err := q.m.Go(o.at); err != nil {
			return nil, err
		}
		of, err := q.origins(part, been)
		if err != nil {
			return nil, err
		}
		all = append(all, of...)
	}
	return all, nil
}

// follow is origin up to where the value is computed from several.
func (q *inquiry) follow(register int, been map[uint64]bool) (*origin, error) {
	value, err := q.m.Value(register)
	if err != nil {
		return nil, err
	}
	q.seek("where %#x came from", value)
	o, err := q.steps(register, been)
	if err == nil && o.addr != 0 && o.why != "" && o.base != travel.None {
		// What never changes is not wrong, but it may be another's.
		o, err = q.led(o, been)
	}
	var lost *NotFoundError
	if errors.As(err, &lost) {
		o, err = &origin{why: "came from what was not found: " + lost.Why}, nil
	}
	if err != nil {
		return nil, err
	}
	o.value = value
	o.at, err = q.m.Now()
	return o, err
}

// led follows the address of a constant to the word of memory that it was read from.
// Where it came from none it returns the constant.
func (q *inquiry) led(constant *origin, been map[uint64]bool) (*origin, error) {
	at, err := q.m.Now()
	if err != nil {
		return nil, err
	}
	o, err := q.steps(constant.base, been)
	var lost *NotFoundError
	if err != nil && !errors.As(err, &lost) {
		return nil, err
	}
	if err == nil && o.addr != 0 && o.why == "" {
		return o, nil
	}
	return constant, q.m.Go(at)
}

func (q *inquiry) steps(register int, been map[uint64]bool) (*origin, error) {
	of := whole
	for range mostHops {
		entry, err := q.defined(register)
		if err != nil {
			return nil, err
		}
		frame, err := q.m.Top()
		if err != nil {
			return nil, err
		}
		if entry {
			// A parameter: on with the caller.
			if err := q.m.StepBack(); err != nil {
				return nil, err
			}
			if user, err := q.m.User(); err != nil || !user {
				return &origin{why: "was there when " + frame.Func + " began", frame: frame}, err
			}
			continue
		}
		r, err := q.m.Registers()
		if err != nil {
			return nil, err
		}
		insn, err := q.m.Insn(r.Pc)
		if err != nil {
			return nil, err
		}
		switch {
		case insn.Call():
			if err := q.leave(r.Pc + 4); err != nil {
				return nil, err
			}
			continue
		case insn.Load():
			a, ok := insn.Access(r)
			i := slices.Index(a.Regs, register)
			if i < 0 && insn.WritesBack(register) {
				continue // the next of a row of words: where that begins is what counts
			}
			if !ok || i < 0 {
				return &origin{why: "came from `" + insn.String() + "`", frame: frame}, nil
			}
			if of.offset >= a.Size {
				of = whole // filled up with zeros or signs
			}
			word := &origin{addr: a.Addr + uint64(i*a.Size+of.offset), size: min(a.Size-of.offset, of.size), base: a.Base, frame: frame}
			if !own(frame, word.addr, r.Sp) {
				place := q.m.Place(word.addr)
				word.name, word.header = place.Name, place.Header
				if q.m.Constant(word.addr) {
					word.why = "is of the program's read-only data"
				}
				return word, nil
			}
			// A register that was put aside on the goroutine's own stack, a parameter
			// there, or a part of a copy.
			if register, of, err = q.spilled(word); err != nil || register == travel.None {
				return word, err
			}
			continue
		}
		from := insn.Copies(register)
		if insn.Flagged() {
			compared, err := q.compared(insn)
			if err != nil {
				return nil, err
			}
			from = append(from, compared...)
		}
		switch {
		case insn.Constant():
			return &origin{constant: true, why: fmt.Sprintf("is a constant of the program's (`%s`)", insn), frame: frame}, nil
		case len(from) == 0:
			return &origin{why: fmt.Sprintf("came from `%s`", insn), frame: frame}, nil
		case been[r.Pc]:
			return &origin{why: fmt.Sprintf("is counted in a loop (`%s`)", insn), frame: frame}, nil
		}
		been[r.Pc] = true
		if len(from) > 1 {
			return &origin{parts: from, frame: frame}, nil
		}
		if register = from[0]; !insn.Moves() {
			of = whole
		}
	}
	return &origin{why: "has a history of more than " + fmt.Sprint(mostHops) + " copies"}, nil
}

// part is which bytes of a register are followed.
type part struct{ offset, size int }

var whole = part{0, 8}

// own says whether an address is on the stack of the goroutine that makes a call,
// where no other goroutine reads or writes but to hand over what it sends.
func own(call travel.Frame, addr, sp uint64) bool {
	end := call.CFA
	if !call.System {
		end -= uint64(call.Depth) // which is negative
	}
	return addr >= sp && addr < end
}
