package explain

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"ghostlab/gdb/travel"
)

// written runs backwards from the moment to the last write of a word, by the
// program or by the kernel for it, that is wanted by what the word was before and
// after: nil wants any. The machine stands before the write then, and in the end
// where the program wrote it.
func (q *inquiry) written(addr uint64, size int, wanted func(before, after uint64) (bool, error)) (*Side, error) {
	var after uint64
	user := false
	q.seek("the last write to the %d bytes at %#x", size, addr)
	err := q.m.Back(func() (bool, error) {
		if space, err := q.m.Space(); err != nil || space != q.space {
			return false, err
		}
		var err error
		if after, err = q.m.Uint(addr, size); err != nil {
			return false, nil // see below: what is not there was not written to
		}
		// An interrupt may have come just after the write.
		if err := q.m.StepBack(); err != nil {
			return false, err
		}
		if user, err = q.m.User(); err != nil {
			return false, err
		}
		before, err := q.m.Uint(addr, size)
		if err != nil {
			before = 0 // the first write to a page, which is not there before
		}
		if before == after {
			// QEMU stops a run backwards at a snapshot, too.
			if stores, err := q.stores(); err != nil || !user || !stores {
				return false, err
			}
		}
		if wanted == nil {
			return true, nil
		}
		return wanted(before, after)
	}, travel.Writes(addr, size))
	if errors.Is(err, travel.ErrEnd) {
		if q.since != nil {
			return nil, &NotFoundError{"nobody wrote it since " + q.since.Name() + " wrote the other"}
		}
		return nil, &NotFoundError{"nobody wrote it since the trial began"}
	}
	if err != nil {
		return nil, q.lost(fmt.Sprintf("the write to the word at %#x", addr), err)
	}
	did := fmt.Sprintf("wrote %#x to the word at %#x", after, addr)
	if !user {
		return q.forKernel(did)
	}
	return q.side(did)
}

// stores says whether the instruction of the moment may write to memory what is
// there already. To QEMU a compare-and-swap that fails does, too.
func (q *inquiry) stores() (bool, error) {
	i, err := q.m.Insn(q.m.PC())
	return i.Store() && !i.CompareAndSwap() || !i.Known(), err
}

// blame makes somebody the culprit of what the victim met at the moment seen,
// and says who ran since.
func (q *inquiry) blame(culprit *Side, seen int64) error {
	q.out.Culprit = culprit
	q.out.Apart = seen - culprit.At
	q.out.TimeApart = time.Duration(q.out.Apart) << q.Shift
	if culprit.allocates() {
		q.note("the write is that of an allocation: nothing was stored there since")
	}
	if culprit.ID == q.out.Victim.ID && culprit.ID != 0 {
		q.note("the last to write it was the victim itself")
	}
	if err := q.m.Go(culprit.At); err != nil {
		return err
	}
	q.seek("who ran between the two")
	return q.schedule(seen)
}

// blameLast makes the culprit of who wrote words last before they were read.
func (q *inquiry) blameLast(words []*origin) error {
	last, err := q.lastWriter(words, q.out.Victim.ID)
	if last == nil {
		return err
	}
	return errors.Join(err, q.blame(last, q.out.Victim.At))
}

// lastWriter finds who wrote words last before they were read. Of several it is the
// last, if possible one that is not the reader and has not just allocated them, and nil
// for none of the program's. What the reader wrote itself is followed to the words that
// it made that of. With an error it is the last of those that were found before.
func (q *inquiry) lastWriter(words []*origin, reader int64) (last *Side, err error) {
	worth := func(s *Side) int {
		switch {
		case s.ID != reader && !s.allocates():
			return 2
		case s.ID != reader:
			return 1
		}
		return 0
	}
	better := func(s *Side) bool {
		return last == nil || worth(s) > worth(last) || worth(s) == worth(last) && s.At > last.At
	}
	for i, o := range words {
		if slices.ContainsFunc(words[:i], func(w *origin) bool { return w.addr == o.addr && w.at == o.at }) {
			continue
		}
		s, err := q.wordSince(o, last, reader)
		if err != nil {
			return last, err
		}
		if s == nil || !slices.ContainsFunc(s.Stack, ofProgram) {
			continue // what the runtime keeps for itself
		}
		if better(s) {
			last = s
		}
		if s.ID != reader || s.allocates() {
			continue
		}
		if s, err = q.made(o, s, mostMade); err != nil {
			return last, err
		}
		if s != nil && better(s) {
			last = s
		}
	}
	return last, nil
}

// wordSince is word. Where another than the reader is known to have written one of its
// words, only who wrote this one after that matters: to find nobody since the trial began
// takes as long as all of it.
func (q *inquiry) wordSince(o *origin, last *Side, reader int64) (s *Side, err error) {
	if last == nil || last.ID == reader || last.allocates() || o.why != "" {
		return q.word(o)
	}
	if o.at <= last.At {
		return nil, nil
	}
	q.since = last
	defer func() { q.since = nil }()
	err = q.m.Since(last.At, func() error {
		s, err = q.word(o)
		return err
	})
	return s, err
}

// allocates says whether it is the runtime that gives a goroutine memory.
func (s *Side) allocates() bool {
	return slices.ContainsFunc(s.Stack, func(f travel.Frame) bool { return f.Func == "runtime.mallocgc" })
}

// Word is where a value came from that the victim met: a word of memory, or the
// program itself.
type Word struct {
	// Value is what was read, in hexadecimal with 0x.
	Value string `json:"value"`
	// Address is where, in hexadecimal with 0x, and Name what the program calls
	// it, as far as is known. Address is empty where the value came from no
	// memory.
	Address string `json:"address,omitempty"`
	Name    string `json:"name,omitempty"`
	// Why says what else the value came from, or why nobody wrote it.
	Why string `json:"why,omitempty"`
	// Read is where it was read.
	Read travel.Frame `json:"read"`
	// Writer is who wrote it last before; nil where that is nobody.
	Writer *Side `json:"writer,omitempty"`
}

// word adds an origin to the words of the explanation, with who wrote it last
// before it was read, nil for nobody.
func (q *inquiry) word(o *origin) (*Side, error) {
	w := Word{Value: fmt.Sprintf("%#x", o.value), Name: o.name, Why: o.why, Read: o.frame}
	if o.why != "" {
		q.out.Words = append(q.out.Words, w)
		return nil, nil
	}
	w.Address = fmt.Sprintf("%#x", o.addr)
	if err := q.m.Go(o.at); err != nil {
		return nil, err
	}
	seen, err := q.m.Uint(o.addr, o.size)
	if err != nil {
		return nil, err
	}
	w.Value = fmt.Sprintf("%#x", seen) // what was computed from it may be another
	w.Writer, err = q.written(o.addr, o.size, func(_, after uint64) (bool, error) {
		if after != seen {
			return false, &NotFoundError{fmt.Sprintf("the last write to the word at %#x left %#x there, and %#x was read: it changed by another address than the program's", o.addr, after, seen)}
		}
		return true, nil
	})
	var unknown *NotFoundError
	switch {
	case errors.As(err, &unknown):
		w.Why = unknown.Why
	case err != nil:
		return nil, err
	}
	q.out.Words = append(q.out.Words, w)
	if o.header == 0 || w.Writer == nil {
		return w.Writer, nil
	}
	return w.Writer, q.torn(o, w.Writer)
}

// torn looks whether an assignment of a slice, string or interface was under way
// when one of its words was read, or whether two got mixed: then the other word
// is of another one.
func (q *inquiry) torn(o *origin, wrote *Side) error {
	half := *o
	half.header = 0
	if half.addr = o.header; o.addr == o.header {
		half.addr += 8
	}
	half.size = 8
	if err := q.m.Go(o.at); err != nil {
		return err
	}
	half.name = q.m.Place(half.addr).Name
	var err error
	if half.value, err = q.m.Uint(half.addr, half.size); err != nil {
		return err
	}
	other, err := q.written(half.addr, half.size, nil)
	var unknown *NotFoundError
	if errors.As(err, &unknown) {
		return nil
	}
	if err != nil {
		return err
	}
	first, last, rest := other, wrote, half.addr
	if other.At > wrote.At {
		first, last, rest = wrote, other, o.addr
	}
	if err := q.m.Go(last.At); err != nil {
		return err
	}
	store, err := q.together(rest)
	if err != nil || store == 0 || len(first.Stack) == 0 || len(last.Stack) == 0 {
		return err
	}
	if store < last.Stack[0].PC && first.ID == last.ID && first.Stack[0].PC == store {
		return nil
	}
	q.note("torn: %s and %s are of different values, as one assignment was not done yet, or another got between", o.name, half.name)
	_, err = q.word(&half)
	return err
}

// together is the address of the instruction that writes to addr in the
// statement of the moment, which writes something else now; 0 for none, or for
// the same instruction.
func (q *inquiry) together(addr uint64) (store uint64, err error) {
	r, err := q.m.Registers()
	if err != nil {
		return 0, err
	}
	body, err := q.m.Body(r.Pc)
	if err != nil {
		return 0, err
	}
	for _, i := range body {
		a, ok := i.Access(r)
		size := uint64(a.Size * len(a.Regs))
		if ok && i.Store() && addr >= a.Addr && addr < a.Addr+size && q.m.Line(i.Addr) == q.m.Line(r.Pc) {
			if i.Addr == r.Pc {
				return 0, nil
			}
			store = i.Addr
		}
	}
	return store, nil
}
