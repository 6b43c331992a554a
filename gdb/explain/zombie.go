package explain

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"ghostlab/gdb/travel"
)

// The collector's own words for what it found say which object or stack slot was
// wrong. That is not yet the word of the program's: a mark was set because of
// a pointer somewhere, and a stack slot holds a copy of what was read elsewhere.

// reportZombies is the function that says so of a mark in a heap bitmap. Its first
// parameter is the mspan.
const reportZombies = "runtime.(*mspan).reportZombies"

// markers are functions of the collector that mark an object for the sake of a
// pointer. The pointer is a parameter, or is in the word at base+off where those
// are parameters too and base is not 0 (runtime/mgcmark.go).
var markers = []struct {
	fn                 string
	pointer, base, off int
}{
	{"runtime.greyobject", 0, 1, 2},
	{"runtime.tryDeferToSpanScan", 0, travel.None, travel.None},
}

// shading is the function that marks what write barriers have put aside: old and
// new values of words that were written while the collector worked.
const shading = "runtime.wbBufFlush1"

// mostMarks bounds through how many bitmaps a mark is followed.
const mostMarks = 3

// zombie finds the pointer for which the collector has marked a free object.
func (q *inquiry) zombie(f travel.Frame) ([]*origin, error) {
	v := q.out.Victim
	r, err := q.begun(f, v.ID)
	if err != nil {
		return nil, err
	}
	span := r.Regs[0]
	if err := q.m.Go(v.At); err != nil {
		return nil, err
	}
	obj, size, mark, bit, err := q.marked(span)
	if err != nil {
		return nil, err
	}
	v.Did = fmt.Sprintf("found the free object of %d bytes at %#x marked: a pointer to it was still there", size, obj)
	for range mostMarks {
		s, err := q.written(mark, 1, func(before, after uint64) (bool, error) { return after&^before&bit != 0, nil })
		if err != nil {
			return nil, err
		}
		for _, m := range markers {
			i := slices.IndexFunc(s.Stack, func(f travel.Frame) bool { return f.Func == m.fn && !f.Inlined })
			if i >= 0 {
				return q.pointer(s, s.Stack[i], m.pointer, m.base, m.off)
			}
		}
		if slices.ContainsFunc(s.Stack, func(f travel.Frame) bool { return f.Func == shading }) {
			return q.shaded(obj, size)
		}
		// The bits were copied from another bitmap.
		if mark, err = q.copied(mark, bit); err != nil {
			return nil, err
		}
	}
	return nil, &NotFoundError{fmt.Sprintf("the object at %#x was marked by nothing that is known of this release of Go", obj)}
}

// marked is the first object of a span that is free and marked all the same, and
// its mark: a bit of a byte in memory.
func (q *inquiry) marked(span uint64) (obj, size, mark, bit uint64, err error) {
	field := map[string]uint64{}
	for _, name := range []string{"startAddr", "elemsize", "nelems", "freeindex", "allocBits", "gcmarkBits"} {
		v, ok := q.m.FieldValue("runtime.mspan", name, span)
		if !ok {
			return 0, 0, 0, 0, &NotFoundError{"runtime.mspan has no field " + name + " in this release of Go"}
		}
		field[name] = v
	}
	for n := field["freeindex"]; n < field["nelems"]; n++ {
		marks, err := q.m.Uint(field["gcmarkBits"]+n/8, 1)
		if err != nil {
			return 0, 0, 0, 0, err
		}
		allocated, err := q.m.Uint(field["allocBits"]+n/8, 1)
		if err != nil {
			return 0, 0, 0, 0, err
		}
		if bit := uint64(1) << (n % 8); marks&^allocated&bit != 0 {
			return field["startAddr"] + n*field["elemsize"], field["elemsize"], field["gcmarkBits"] + n/8, bit, nil
		}
	}
	return 0, 0, 0, 0, &NotFoundError{"the span has no object that is free and marked"}
}

// pointer is the word that held the pointer with which a marker was called, s.
func (q *inquiry) pointer(s *Side, f travel.Frame, param, base, off int) ([]*origin, error) {
	r, err := q.begun(f, s.ID)
	if err != nil {
		return nil, err
	}
	if base == travel.None || r.Regs[base] == 0 {
		words, err := q.origins(param, map[uint64]bool{})
		if err != nil {
			return nil, err
		}
		return q.unspilled(words)
	}
	return q.referred(r.Regs[base]+r.Regs[off], f)
}

// referred is the word of the program's from which the pointer came that a word
// has at the moment.
func (q *inquiry) referred(addr uint64, f travel.Frame) ([]*origin, error) {
	at, err := q.m.Now()
	if err != nil {
		return nil, err
	}
	value, err := q.m.Uint(addr, 8)
	if err != nil {
		return nil, err
	}
	return q.unspilled([]*origin{{name: q.m.Place(addr).Name, addr: addr, size: 8, value: value, base: travel.None, frame: f, at: at}})
}

// shaded is the word of the write barrier's buffer in which a pointer to an
// object was put aside.
func (q *inquiry) shaded(obj, size uint64) ([]*origin, error) {
	top, err := q.m.Top()
	if err != nil {
		return nil, err
	}
	at, err := q.m.Now()
	if err != nil {
		return nil, err
	}
	r, err := q.m.Registers()
	if err != nil {
		return nil, err
	}
	m, _ := q.m.FieldValue("runtime.g", "m", r.Regs[goroutine])
	p, _ := q.m.FieldValue("runtime.m", "p", m)
	offset, length, ok := q.m.Field("runtime.p", "wbBuf")
	for n := 0; ok && p != 0 && n < length; n += 8 {
		addr := p + offset + uint64(n)
		value, err := q.m.Uint(addr, 8)
		if err != nil {
			return nil, err
		}
		if value >= obj && value-obj < size {
			return []*origin{{name: "the write barrier's buffer", addr: addr, size: 8, value: value, base: travel.None, frame: top, at: at}}, nil
		}
	}
	return nil, &NotFoundError{"a write barrier had put the pointer aside, and its buffer does not tell which"}
}

// copied is the byte from which the store of the moment took the one at addr, a
// part of a bitmap.
func (q *inquiry) copied(addr, bit uint64) (uint64, error) {
	register, of, err := q.storing(addr, 1)
	if err != nil {
		return 0, err
	}
	if register == travel.None {
		return 0, &NotFoundError{"the mark was computed, not copied"}
	}
	words, err := q.origins(register, map[uint64]bool{})
	if err != nil {
		return 0, err
	}
	for _, o := range words {
		from := o.addr + uint64(of.offset)
		if o.addr == 0 || from == addr || from >= o.addr+uint64(o.size) {
			continue
		}
		if err := q.m.Go(o.at); err != nil {
			return 0, err
		}
		if b, err := q.m.Uint(from, 1); err == nil && b&bit != 0 {
			return from, nil
		}
	}
	return 0, &NotFoundError{"where the mark was copied from was not found"}
}

// goroutine is the register that has the address of the runtime's g.
const goroutine = 28

// onStack says whether an address is on the stack of the moment's goroutine, or of
// the one that its thread works for.
func (q *inquiry) onStack(addr uint64) (bool, error) {
	r, err := q.m.Registers()
	if err != nil {
		return false, err
	}
	g := r.Regs[goroutine]
	m, _ := q.m.FieldValue("runtime.g", "m", g)
	user, _ := q.m.FieldValue("runtime.m", "curg", m)
	for _, g := range []uint64{g, user} {
		if lo, hi, ok := q.bounds(g); ok && addr >= lo && addr < hi {
			return true, nil
		}
	}
	return false, nil
}

// bounds are those of a goroutine's stack, which are the first of a g's words.
func (q *inquiry) bounds(g uint64) (lo, hi uint64, ok bool) {
	if g == 0 {
		return 0, 0, false
	}
	lo, err := q.m.Uint(g, 8)
	if err != nil {
		return 0, 0, false
	}
	hi, err = q.m.Uint(g+8, 8)
	return lo, hi, err == nil
}

// mostCopies bounds through how many stacks a value is followed: a stack that
// grows is copied.
const mostCopies = 4

// unspilled follows words on stacks, in which values are put aside only, to those
// that the values were read from.
func (q *inquiry) unspilled(words []*origin) ([]*origin, error) {
	var out []*origin
	for _, o := range words {
		from, err := q.heldBy(o)
		if err != nil {
			return nil, err
		}
		out = append(out, from...)
	}
	return out, nil
}

func (q *inquiry) heldBy(o *origin) ([]*origin, error) {
	for range mostCopies {
		if o.addr == 0 || o.why != "" {
			break
		}
		if err := q.m.Go(o.at); err != nil {
			return nil, err
		}
		s, err := q.written(o.addr, o.size, nil)
		if none := (*NotFoundError)(nil); errors.As(err, &none) {
			break
		} else if err != nil {
			return nil, err
		}
		on, err := q.onStack(o.addr)
		if err != nil {
			return nil, err
		}
		moved := slices.ContainsFunc(s.Stack, func(f travel.Frame) bool { return strings.HasPrefix(f.Func, "runtime.copystack") })
		if !on && !moved {
			break
		}
		register, _, err := q.storing(o.addr, o.size)
		if err != nil || register == travel.None {
			return []*origin{o}, err
		}
		from, err := q.origins(register, map[uint64]bool{})
		if err != nil || len(from) != 1 {
			return from, err
		}
		o = from[0]
	}
	return []*origin{o}, nil
}
