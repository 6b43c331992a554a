package explain

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"ghostlab/gdb/travel"
)

// Waiter is a goroutine that waits, or goes round in a loop, where the program has come
// to a standstill.
type Waiter struct {
	travel.Parked
	// Alike is how many others wait with the same stack.
	Alike int `json:"alike,omitempty"`
	// On is what it waits for, with its address: empty where that is not known.
	On string `json:"on,omitempty"`
	// Holder is who has it, or else the last other goroutine to use it, or to write
	// what the loop looks at.
	Holder *Side `json:"holder,omitempty"`
	// Loop says what it compared when it went round the last time, and Words where
	// that came from. Loop is empty for those that go round in none.
	Loop  string `json:"loop,omitempty"`
	Words []Word `json:"words,omitempty"`
}

// waits is a function in which goroutines wait for what its first parameter
// points to.
type waits struct {
	fn string
	// typ is the type that has the field part to which the parameter points, ""
	// where it points to the whole.
	typ, part string
	// field changes when somebody takes it, which taken tells from other
	// changes. A nil taken takes the last change by another goroutine. Without a
	// field nobody has it.
	field string
	taken func(before, after uint64) bool
	did   string
}

const used = "was the last other to use it"

var waiting = []waits{
	// mutexLocked is 1: sync/mutex.go.
	{"sync.(*Mutex).lockSlow", "", "", "state", func(before, after uint64) bool { return before&1 == 0 && after&1 == 1 }, "locked it"},
	// A writer makes the number of readers negative: sync/rwmutex.go.
	{"sync.runtime_SemacquireRWMutexR", "sync.RWMutex", "readerSem", "readerCount", func(before, after uint64) bool { return int32(before) >= 0 && int32(after) < 0 }, "locked it for writing"},
	{"sync.runtime_SemacquireRWMutex", "sync.RWMutex", "writerSem", "readerCount", nil, used},
	// Who has not come yet to Done or Signal is not in memory.
	{"sync.(*WaitGroup).Wait", "", "", "", nil, ""},
	{"sync.(*Cond).Wait", "", "", "", nil, ""},
	{"runtime.chanrecv", "", "", "lock", nil, used},
	{"runtime.chansend", "", "", "lock", nil, used},
}

// stuck says whether a program ended because nothing went on.
func stuck(c *crash, signature string) bool {
	return strings.Contains(c.message, "all goroutines are asleep") || strings.Contains(signature, "panic: test timed out")
}

// Bounds of for how many goroutines it is found out what they wait for, in all
// and of those with the same stack.
const (
	mostWaiters = 8
	mostAlike   = 3
	// mostWrites is how many writes to what one waits for are looked at.
	mostWrites = 40
)

// standstill explains why nothing goes on: what each goroutine waits for, those first
// that do not wait. Nobody is the victim then.
func (q *inquiry) standstill() error {
	end, teller := q.out.Victim.At, q.out.Victim.ID
	if q.Hung {
		teller = 0 // it was interrupted
	}
	q.out.Victim = nil
	all, err := q.m.Goroutines()
	if err != nil {
		return err
	}
	all = slices.DeleteFunc(all, func(p travel.Parked) bool { return p.Reason == travel.Running && p.ID == teller })
	slices.SortStableFunc(all, func(a, b travel.Parked) int { return cmp.Compare(urgency(a), urgency(b)) })
	for i := range all {
		if err := q.caught(&all[i], end); err != nil {
			return err
		}
	}
	for _, p := range all {
		w := Waiter{Parked: p}
		var alike []int
		for i := range q.out.Waiting {
			if w.stands(&q.out.Waiting[i]) {
				alike = append(alike, i)
			}
		}
		if len(alike) < mostAlike {
			q.out.Waiting = append(q.out.Waiting, w)
		} else {
			q.out.Waiting[alike[0]].Alike++
		}
	}
	looked := min(len(q.out.Waiting), mostWaiters)
	for i := range q.out.Waiting[:looked] {
		if err := q.awaited(&q.out.Waiting[i], end); err != nil {
			return err
		}
	}
	if n := len(q.out.Waiting) - looked; n > 0 {
		q.note("what %d of the goroutines wait for was not looked for", n)
	}
	q.out.Waiting = alike(q.out.Waiting)
	if q.Hung {
		return q.lastTurns(end)
	}
	return nil
}

// alike makes one of those that wait at the same place for the same.
func alike(all []Waiter) (some []Waiter) {
	for _, w := range all {
		i := slices.IndexFunc(some, func(other Waiter) bool { return w.stands(&other) && w.On == other.On })
		if i < 0 {
			some = append(some, w)
		} else {
			some[i].Alike += 1 + w.Alike
		}
	}
	return some
}

// stands says whether another goroutine waits at the same place.
func (w *Waiter) stands(other *Waiter) bool {
	return slices.EqualFunc(w.Stack, other.Stack, func(a, b travel.Frame) bool { return a.PC == b.PC && a.Func == b.Func })
}

// awaited finds out what a goroutine waits for at the moment end, and who has
// it.
func (q *inquiry) awaited(w *Waiter, end int64) error {
	err := q.rounds(w, end)
	for _, f := range w.Stack {
		i := slices.IndexFunc(waiting, func(on waits) bool { return strings.HasSuffix(f.Func, on.fn) && !f.Inlined })
		if i >= 0 {
			err = q.held(w, f, waiting[i], end)
			break
		}
	}
	var unknown *NotFoundError
	if errors.As(q.lost("", err), &unknown) {
		return nil // it is said that it waits, and for what as far as is known
	}
	return err
}

func (q *inquiry) held(w *Waiter, f travel.Frame, on waits, end int64) error {
	if err := q.m.Go(end); err != nil {
		return err
	}
	r, err := q.begun(f, w.ID)
	if err != nil {
		return err
	}
	addr, typ := r.Regs[0], on.typ
	if addr == 0 {
		w.On = "nil, for ever"
		return nil
	}
	if part, _, ok := q.m.Field(typ, on.part); ok {
		addr -= part
	} else if typ, err = q.pointed(addr); err != nil {
		return err
	}
	w.On = fmt.Sprintf("%s at %#x", typ, addr)
	offset, size, ok := q.m.Field(typ, on.field)
	if !ok {
		return nil
	}
	size = min(size, 8)
	if err := q.m.Go(end); err != nil {
		return err
	}
	if on.taken == nil {
		if err := q.m.Last(q.others(w.ID), travel.Writes(addr+offset, size)); err != nil {
			return err
		}
		w.Holder, err = q.side(on.did)
		return err
	}
	writes := 0
	w.Holder, err = q.written(addr+offset, size, func(before, after uint64) (bool, error) {
		if writes++; writes > mostWrites {
			return false, &NotFoundError{"too many writes lie between"}
		}
		return on.taken(before, after), nil
	})
	if err == nil {
		w.Holder.Did = on.did
	}
	return err
}

// others wants moments of other goroutines than one. Where the runtime works for
// it on a thread's stack, that is of none.
func (q *inquiry) others(goroutine int64) func() (bool, error) {
	return func() (bool, error) {
		if ok, err := q.ours(); err != nil || !ok {
			return false, err
		}
		id, err := q.m.ID()
		return id != 0 && id != goroutine, err
	}
}
