package explain

import (
	"errors"
	"slices"
	"strings"

	"ghostlab/gdb/travel"
)

// A program whose time is up is asked for its goroutines, by SIGQUIT
// (initramfs/guest). What they did at that moment they would have gone on with.

// timeUp runs to the moment at which the program is given that signal, and makes the
// victim of the goroutine that it interrupts.
func (q *inquiry) timeUp() (*crash, error) {
	q.seek("the end of the program's time")
	err := q.m.Forward(func() (bool, error) {
		if ok, err := q.ours(); err != nil || !ok {
			return false, err
		}
		r, err := q.m.Registers()
		return err == nil && r.Regs[0] == sigQUIT, err
	}, q.trampolines()...)
	if errors.Is(err, travel.ErrEnd) {
		return nil, &NotFoundError{"its time was up, and it did not take the SIGQUIT that asks for its goroutines: it blocked it, or has no Go runtime"}
	}
	if err != nil {
		return nil, err
	}
	if q.out.Victim, err = q.side("was interrupted when its time was up"); err != nil {
		return nil, err
	}
	return &crash{}, q.m.Near()
}

// Waits says whether the goroutine waits for something, not for a CPU or the kernel.
func (w *Waiter) Waits() bool { return w.Reason != travel.Running && w.Reason != travel.Runnable }

// sleeps is the runtime's reason of who is in time.Sleep (runtime/runtime2.go).
const sleeps = "sleep"

// urgency orders goroutines by how much they tell of why a program does not end: those
// that go round in a loop tell what would end it.
func urgency(p travel.Parked) int {
	switch p.Reason {
	case travel.Running, travel.Runnable:
		return 0
	case sleeps:
		return 1
	}
	return 2
}

// caught finds where a goroutine stood that was running at the moment end: the last time
// that it entered the kernel before, from a call of the program's.
func (q *inquiry) caught(p *travel.Parked, end int64) error {
	if p.Reason != travel.Running {
		return nil
	}
	entries, err := q.m.Entries()
	if err == nil {
		err = q.m.Go(end)
	}
	if err == nil {
		same := q.of(p.ID)
		err = q.m.Last(func() (bool, error) {
			if ok, err := same(); err != nil || !ok {
				return false, err
			}
			g, err := q.m.Goroutine()
			return err == nil && slices.ContainsFunc(g.Stack, outside), err
		}, entries...)
	}
	if err != nil {
		var unknown *NotFoundError
		if errors.As(q.lost("", err), &unknown) {
			return nil // it has not run yet
		}
		return err
	}
	if _, _, err := q.m.Interrupted(); err != nil {
		return err
	}
	g, err := q.m.Goroutine()
	if err == nil {
		p.Goroutine = *g
	}
	return err
}

// rounds finds out what a goroutine waits for that goes round in a loop: what it looked
// at when it went round the last time before the moment end, and who wrote that last.
func (q *inquiry) rounds(w *Waiter, end int64) error {
	if w.Waits() && w.Reason != sleeps {
		return nil
	}
	f, loops, err := q.loops(w.Stack)
	if err != nil || f == nil {
		return err
	}
	q.seek("what goroutine %d goes round for in %s", w.ID, f.Func)
	for ; len(loops) > 1; loops = loops[1:] {
		if goes, err := q.goesRound(*f, w.ID, loops[0], end); err != nil {
			return err
		} else if goes {
			break
		}
	}
	body, err := q.m.Body(f.Entry)
	if err == nil {
		err = q.m.Go(end)
	}
	if err != nil {
		return err
	}
	words, did, err := q.branched(*f, w.ID, body, func(i travel.Insn) bool { return slices.ContainsFunc(loops[0], i.Is) })
	if err != nil {
		return err
	}
	w.Loop = did
	outer := q.out.Words
	q.out.Words = nil
	holder, err := q.lastWriter(words, w.ID)
	w.Words, q.out.Words = q.out.Words, outer
	if holder != nil && !holder.allocates() {
		w.Holder = holder
	}
	return err
}

// loops is the innermost call of the program's that goes round in loops, with what may end
// each of them, the outermost first. It is nil for none.
func (q *inquiry) loops(stack []travel.Frame) (*travel.Frame, [][]travel.Insn, error) {
	for i, f := range stack {
		if f.Inlined || f.System || !outside(f) {
			continue
		}
		body, err := q.m.Body(f.Entry)
		if err != nil {
			return nil, nil, err
		}
		at := f.PC
		if i > 0 && !stack[i-1].Inlined {
			at -= 4 // the call
		}
		if loops := travel.Loops(body, at, q.final); loops != nil {
			return &f, loops, nil
		}
	}
	return nil, nil, nil
}

// outside says whether a call is of code that is not the runtime's, also under the name
// of another package, such as time.Sleep.
func outside(f travel.Frame) bool { return ofProgram(f) && !strings.HasPrefix(f.File, "runtime/") }

// patience is how many times as long as the time before a loop's last round may take
// without looking as if another one in it did not end.
const patience = 8

// goesRound says whether a goroutine's call went round a loop to the end, by when the last
// two times were that it came to one of the branches that may end it.
func (q *inquiry) goesRound(f travel.Frame, id int64, exits []travel.Insn, end int64) (bool, error) {
	var points []travel.Point
	for _, i := range exits {
		points = append(points, travel.At(i.Addr))
	}
	if err := q.m.Go(end); err != nil {
		return false, err
	}
	var at [2]int64
	for n := range at {
		err := q.m.Last(q.in(f, id), points...)
		if errors.Is(err, travel.ErrEnd) {
			return false, nil
		}
		if err == nil {
			at[n], err = q.m.Now()
		}
		if err != nil {
			return false, q.lost("a round of "+f.Func, err)
		}
	}
	return end-at[0] <= patience*(at[0]-at[1]), nil
}
