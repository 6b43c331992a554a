package explain

import (
	"errors"
	"fmt"
	"strings"

	"ghostlab/gdb/travel"
)

// Map is a Go map's header at the moment of the crash.
type Map struct {
	// Address is the header's, in hexadecimal with 0x.
	Address string `json:"address"`
	// Kind is "buckets" until Go 1.23, and "swiss" since Go 1.24.
	Kind string `json:"kind"`
	// Count is the number of elements that the header says.
	Count uint64 `json:"count"`
	// B is the logarithm of the number of buckets, Growing says that they are
	// being moved to a larger array. Of kind "buckets".
	B       *uint64 `json:"b,omitempty"`
	Growing *bool   `json:"growing,omitempty"`
	// Tables is the number of the directory's entries, 0 for a map of one
	// group. Of kind "swiss".
	Tables *uint64 `json:"tables,omitempty"`
	// Writing says whether a write was marked as under way.
	Writing bool `json:"writing"`
}

// mapHeader is what there is to know of one of the two kinds of map headers.
// Where their fields are, the program's debug information says.
type mapHeader struct {
	kind, typ string
	// holders are other types that lead to the header by a field: iterators.
	holders map[string]string
	// flags is the field with the mark of a writer, bit that mark.
	flags string
	bit   uint64
}

var mapHeaders = []mapHeader{
	// runtime/map.go until Go 1.23: hashWriting = 4.
	{"buckets", "runtime.hmap", map[string]string{"runtime.hiter": "h"}, "flags", 4},
	// internal/runtime/maps/map.go since Go 1.24: "writing is a flag that is
	// toggled (XOR 1) while the map is being written".
	{"swiss", "internal/runtime/maps.Map", map[string]string{"internal/runtime/maps.Iter": "m"}, "writing", 1},
}

// mapRace explains a map's fatal error: the victim saw the mark of a writer, or
// missed its own. Who set or cleared that mark last is the culprit.
func (q *inquiry) mapRace(*crash) error {
	h, addr, err := q.findMap()
	if err != nil {
		return err
	}
	offset, size, ok := q.m.Field(h.typ, h.flags)
	if !ok {
		return &NotFoundError{fmt.Sprintf("%s has no field %s in this release of Go", h.typ, h.flags)}
	}
	q.out.Map = q.readMap(h, addr)
	mark := addr + offset
	// The victim's last look at the mark: its own, not another's that ran
	// between the look and the end.
	victim := q.out.Victim.ID
	if err := q.m.Last(q.of(victim), travel.Accesses(mark, size)); err != nil {
		return q.lost("the victim's look at the map's "+h.flags, err)
	}
	seen, err := q.m.Uint(mark, size)
	if err != nil {
		return err
	}
	looked, err := q.m.Now()
	if err != nil {
		return err
	}
	v := q.out.Victim
	v.At, v.Did = looked, "found the mark of a writer that was not itself"
	if seen&h.bit == 0 {
		v.Did = "found its own mark of a writer gone"
	}
	did := ""
	culprit, err := q.written(mark, size, func(before, after uint64) (bool, error) {
		if (before^seen)&h.bit == 0 {
			return false, nil
		}
		id, err := q.m.ID()
		switch {
		case err != nil:
			return false, err
		case id == victim:
			// Writers toggle the mark: with another's in place, the victim
			// removed it. What counts is who had set that.
			v.Did = "toggled the mark of a writer that another had set, and then found its own gone"
			seen = before
			return false, nil
		case before&h.bit == 0:
			did = "set the mark of a writer"
		default:
			did = "removed the mark of a writer"
		}
		return true, nil
	})
	if err != nil {
		return err
	}
	culprit.Did = did
	return q.blame(culprit, looked)
}

// findMap returns the header of the map that the victim was using: the innermost
// of its calls that knows of one.
func (q *inquiry) findMap() (*mapHeader, uint64, error) {
	end := q.out.Victim.At
	for _, f := range q.out.Victim.Stack {
		vars, err := q.m.Vars(f)
		if err != nil {
			continue
		}
		for _, v := range vars {
			h, field := headerOf(v.Type)
			if h == nil {
				continue
			}
			// Go keeps parameters in registers, which are used for something
			// else by now.
			addr, err := q.argument(f, v.Name)
			if err != nil {
				return nil, 0, err
			}
			if field != "" {
				addr, _ = q.m.FieldValue(strings.TrimPrefix(v.Type, "*"), field, addr)
			}
			if err := q.m.Go(end); err != nil {
				return nil, 0, err
			}
			if addr != 0 {
				return h, addr, nil
			}
		}
	}
	return nil, 0, &NotFoundError{"none of the victim's calls tells which map it used"}
}

// headerOf recognises a type that is, or leads by a field to, a map's header.
func headerOf(typ string) (h *mapHeader, field string) {
	typ, pointer := strings.CutPrefix(typ, "*")
	for i := range mapHeaders {
		h := &mapHeaders[i]
		if f := h.holders[typ]; pointer && (typ == h.typ || f != "") {
			return h, f
		}
	}
	return nil, ""
}

// argument reads a pointer among the parameters of a call where it is sure to be
// had: at the function's first instruction. The machine stays there. It is 0
// for what is no parameter.
func (q *inquiry) argument(f travel.Frame, name string) (uint64, error) {
	err := q.m.Last(q.in(f, q.out.Victim.ID), travel.At(f.Entry))
	if err != nil {
		return 0, q.lost("the beginning of "+f.Func, err)
	}
	top, err := q.m.Top()
	if err != nil {
		return 0, err
	}
	vars, err := q.m.Vars(top)
	if err != nil {
		return 0, err
	}
	for _, v := range vars {
		if v.Name == name && v.Readable {
			return v.Pointer, nil
		}
	}
	return 0, nil
}

// lost says what was looked for and not found; other errors pass.
func (q *inquiry) lost(what string, err error) error {
	var passes *travel.PassesError
	switch {
	case errors.As(err, &passes):
		return &NotFoundError{fmt.Sprintf("%s was not found: %v", what, err)}
	case errors.Is(err, travel.ErrEnd):
		return &NotFoundError{what + " was not found between the trial's start and its crash"}
	}
	return err
}

// readMap reads a header as it is at the moment.
func (q *inquiry) readMap(h *mapHeader, addr uint64) *Map {
	m := &Map{Address: fmt.Sprintf("%#x", addr), Kind: h.kind}
	field := func(name string) *uint64 {
		if v, ok := q.m.FieldValue(h.typ, name, addr); ok {
			return &v
		}
		return nil
	}
	if f := field(h.flags); f != nil {
		m.Writing = *f&h.bit != 0
	}
	switch h.kind {
	case "buckets":
		if n := field("count"); n != nil {
			m.Count = *n
		}
		m.B = field("B")
		if old := field("oldbuckets"); old != nil {
			growing := *old != 0
			m.Growing = &growing
		}
	case "swiss":
		if n := field("used"); n != nil {
			m.Count = *n
		}
		m.Tables = field("dirLen")
	}
	return m
}
