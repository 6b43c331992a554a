package explain

import (
	"fmt"
	"strings"
	"time"

	"ghostlab/gdb/travel"
)

// preempted is the function that a signal makes a goroutine call at any
// instruction, to stop it (runtime/preempt.go): its return address is that
// instruction.
const preempted = "runtime.asyncPreempt"

// pushed is what the signal handler takes of the stack for that call: 16 bytes
// for two registers (sigctxt.pushCall in runtime/signal_arm64.go).
const pushed = 16

// unwinder is the call of the runtime's unwinder that the victim died in, nil
// if it died of something else.
func (q *inquiry) unwinder() *travel.Frame {
	for i, f := range q.out.Victim.Stack {
		if strings.HasPrefix(f.Func, "runtime.(*unwinder).") && !f.Inlined {
			return &q.out.Victim.Stack[i]
		}
	}
	return nil
}

// unwound explains an unwinder that lost its way on another goroutine's stack:
// it makes the culprit of that goroutine, at the instruction at which it was
// stopped, and compares what the unwinder took its frame for with what it was.
func (q *inquiry) unwound(f *travel.Frame) error {
	end := q.out.Victim.At
	q.out.Victim.Did = "lost its way on a stack"
	u, err := q.argument(*f, "u")
	if err != nil {
		return err
	}
	gp, _ := q.m.FieldValue("runtime.unwinder", "g", u)
	id, ok := q.m.FieldValue("runtime.g", "goid", gp)
	if u == 0 || gp == 0 || !ok {
		return &NotFoundError{"the unwinder does not tell whose stack it was on"}
	}
	stopper, ok := q.m.Function(preempted)
	if !ok {
		return &NotFoundError{"the program has no " + preempted}
	}
	if err := q.m.Last(q.of(int64(id)), travel.At(stopper)); err != nil {
		return q.lost(fmt.Sprintf("the instruction at which goroutine %d was stopped", id), err)
	}
	r, err := q.m.Registers()
	if err != nil {
		return err
	}
	stopped, err := q.m.Now()
	if err != nil {
		return err
	}
	pc, sp := r.Regs[30], r.Sp+pushed
	q.m.Suppose(pc, sp)
	took, err := q.m.Top()
	if err != nil {
		return err
	}
	// How it was: the stack pointer with which this call began.
	err = q.m.Last(q.of(int64(id)), travel.At(took.Entry))
	if err != nil {
		return q.lost("the beginning of "+took.Func, err)
	}
	if q.out.Culprit, err = q.side(""); err != nil {
		return err
	}
	if r, err = q.m.Registers(); err != nil {
		return err
	}
	insn, err := q.m.Insn(pc)
	if err != nil {
		return err
	}
	c := q.out.Culprit
	c.At, c.Did = stopped, fmt.Sprintf("was stopped before `%s`", insn)
	if len(c.Stack) > 0 {
		c.Stack[0].File, c.Stack[0].Line, c.Stack[0].PC = took.File, took.Line, pc
	}
	before, err := q.m.Insn(pc - 4)
	if err != nil {
		return err
	}
	if is := r.Sp - sp; is != took.CFA-sp {
		c.Did += fmt.Sprintf(" and after `%s`, its stack pointer half restored", before)
		q.note("the frame of %s had %s bytes left on the stack at that instruction, and the unwinder's table says %s: "+
			"it looked for the return address %s bytes off", took.Func, thousands(int64(is)), thousands(int64(took.CFA-sp)), thousands(int64(took.CFA-r.Sp)))
	} else {
		q.note("the frame of %s had the size that the unwinder's table says: the way was lost further up", took.Func)
	}
	q.out.Apart = end - stopped
	q.out.TimeApart = time.Duration(q.out.Apart) << q.Shift
	if err := q.m.Go(stopped); err != nil {
		return err
	}
	return q.schedule(end)
}
