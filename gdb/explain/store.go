package explain

import (
	"errors"
	"slices"

	"ghostlab/gdb/travel"
)

// storing is the register, or the part of one, that the instruction of the moment puts
// into a word in memory, travel.None where it does not.
func (q *inquiry) storing(addr uint64, size int) (int, part, error) {
	r, err := q.m.Registers()
	if err != nil {
		return travel.None, whole, err
	}
	insn, err := q.m.Insn(r.Pc)
	if err != nil {
		return travel.None, whole, err
	}
	a, ok := insn.Access(r)
	if !ok || !insn.Store() || insn.Load() || addr < a.Addr {
		return travel.None, whole, nil
	}
	offset := int(addr - a.Addr)
	i := offset / a.Size
	if i >= len(a.Regs) {
		return travel.None, whole, nil
	}
	offset %= a.Size
	return a.Regs[i], part{offset, min(size, a.Size-offset)}, nil
}

// mostMade bounds how often what somebody wrote is followed to what he made it of.
const mostMade = 3

// made finds who else wrote one of the words that somebody made the value of which he
// wrote to a word, nil where nobody is found.
func (q *inquiry) made(word *origin, by *Side, hops int) (*Side, error) {
	if hops == 0 {
		return nil, nil
	}
	if err := q.m.Go(by.At); err != nil {
		return nil, err
	}
	if user, err := q.m.User(); err != nil || !user {
		return nil, err
	}
	register, _, err := q.storing(word.addr, word.size)
	if err != nil || register == travel.None {
		return nil, err
	}
	been := map[uint64]bool{}
	value, err := q.follow(register, been)
	if err != nil {
		return nil, err
	}
	if value.parts == nil {
		return q.otherWriter(value, by, hops)
	}
	for _, part := range value.parts {
		if err := q.m.Go(value.at); err != nil {
			return nil, err
		}
		from, err := q.origins(part, been)
		if err != nil {
			return nil, err
		}
		for _, o := range from {
			if s, err := q.otherWriter(o, by, hops); s != nil || err != nil {
				return s, err
			}
		}
	}
	return nil, nil
}

// otherWriter is who wrote a word last, or what that was made of, if that is another of
// the program's than by.
func (q *inquiry) otherWriter(o *origin, by *Side, hops int) (*Side, error) {
	if o.why != "" {
		return nil, nil
	}
	s, err := q.word(o)
	switch {
	case err != nil || s == nil || s.allocates() || !slices.ContainsFunc(s.Stack, ofProgram):
		return nil, err
	case s.ID == by.ID:
		return q.made(o, s, hops-1)
	}
	return s, nil
}

// spilled goes back to the store that put a register, or a part of it, into a word of
// the goroutine's own stack, and returns that register. It is None where something else
// wrote the word; the machine then has not moved.
func (q *inquiry) spilled(word *origin) (int, part, error) {
	at, err := q.m.Now()
	if err != nil {
		return travel.None, whole, err
	}
	back := func() (int, part, error) { return travel.None, whole, q.m.Go(at) }
	err = q.m.Back(q.ours, travel.Writes(word.addr, word.size))
	if err == nil {
		err = q.m.StepBack()
	}
	if lost := q.lost("", err); lost != nil {
		var none *NotFoundError
		if errors.As(lost, &none) {
			return back()
		}
		return travel.None, whole, err
	}
	register, of, err := q.storing(word.addr, word.size)
	if err != nil || register == travel.None {
		return back()
	}
	return register, of, nil
}
