package explain

import (
	"errors"
	"fmt"

	"ghostlab/gdb/travel"
)

// crash is the moment at which the runtime gave up.
type crash struct {
	// entry is the runtime's function that the program ended in, one of ends.
	entry string
	// message is what throw and fatal were given.
	message string
}

// ends are the functions of the Go runtime from which no program returns. All
// releases since 1.21 have them, beneath each of their fatal errors
// (runtime/panic.go, runtime/signal_unix.go).
var ends = []string{"runtime.throw", "runtime.fatal", "runtime.fatalpanic", "runtime.fatalsignal", "runtime.dieFromSignal", "runtime.exit", fail}

// fail marks a test as failed. Others may run before the program ends, and what
// counts is the first.
const fail = "testing.(*common).Fail"

// crash runs to the moment at which the trial's program crashes, and makes the
// victim of the goroutine there.
func (q *inquiry) crash() (*crash, error) {
	q.seek("the crash")
	if err := q.toStart(); err != nil {
		return nil, err
	}
	if q.Hung {
		return q.timeUp()
	}
	names := map[uint64]string{}
	var points []travel.Point
	for _, name := range ends {
		if entry, ok := q.m.Function(name); ok {
			names[entry] = name
			points = append(points, travel.At(entry))
		}
	}
	if len(points) == 0 {
		return nil, &travel.SymbolsError{}
	}
	program, failed, status := q.space, int64(0), uint64(0)
	err := q.m.Forward(func() (bool, error) {
		user, err := q.m.User()
		name := names[q.m.PC()]
		if err != nil || !user || name != "runtime.exit" && name != fail {
			return user, err
		}
		// Other processes of the program's end too.
		space, err := q.m.Space()
		if err != nil || space != program {
			return false, err
		}
		if name == fail {
			if failed == 0 {
				failed, err = q.m.Now()
			}
			return false, err
		}
		// Its argument is on the stack.
		r, err := q.m.Registers()
		if err != nil {
			return false, err
		}
		status, err = q.m.Uint(r.Sp+8, 4)
		return err == nil && status != 0, err
	}, points...)
	if errors.Is(err, travel.ErrEnd) {
		return q.ended()
	}
	if err != nil {
		return nil, err
	}
	if q.space, err = q.m.Space(); err != nil {
		return nil, err
	}
	r, err := q.m.Registers()
	if err != nil {
		return nil, err
	}
	c := &crash{entry: names[r.Pc]}
	did := "ended the program"
	switch {
	case c.entry == "runtime.exit" && failed > 0:
		c.entry, did = fail, "said that the test has failed"
		if err := q.m.Go(failed); err != nil {
			return nil, err
		}
	case c.entry == "runtime.exit":
		did = fmt.Sprintf("ended the program with exit status %d", status)
	}
	if q.out.Victim, err = q.side(did); err != nil {
		return nil, err
	}
	if c.entry == "runtime.throw" || c.entry == "runtime.fatal" {
		c.message = q.text(r.Regs[0], r.Regs[1])
	}
	q.out.Message = c.message
	return c, q.m.Near()
}

// toStart runs to where the trial's program begins, and notes its address space.
func (q *inquiry) toStart() error {
	err := q.m.Forward(func() (bool, error) {
		user, err := q.m.User()
		if err != nil || !user || q.Begun == nil {
			return user, err
		}
		return q.Begun()
	}, travel.At(q.m.Entry()))
	if errors.Is(err, travel.ErrEnd) {
		return &NotFoundError{"the trial's program did not begin"}
	}
	if err == nil {
		q.space, err = q.m.Space()
	}
	return err
}

// exits is the kernel's function in which every process ends. Its argument is the
// wait status (kernel/exit.c).
const exits = "do_group_exit"

// ended runs to where the kernel ends a program that ends without a word of the Go
// runtime's, and makes the victim of the goroutine that ran.
func (q *inquiry) ended() (*crash, error) {
	k, err := q.kernel()
	if err != nil {
		return nil, err
	}
	point, ok := k.Function(exits)
	if !ok {
		return nil, &NotFoundError{"the program ended without a word of the Go runtime's, and the kernel has no " + exits}
	}
	if err := q.m.Go(0); err != nil { // the log's begin
		return nil, err
	}
	if err := q.toStart(); err != nil {
		return nil, err
	}
	err = q.m.Forward(func() (bool, error) {
		space, err := q.m.Space()
		return space == q.space, err
	}, point)
	if errors.Is(err, travel.ErrEnd) {
		return nil, &NotFoundError{"the program did not end before the trial did"}
	}
	if err != nil {
		return nil, err
	}
	end, err := q.m.Now()
	if err == nil {
		err = q.m.Near()
	}
	if err != nil {
		return nil, err
	}
	if _, _, err := q.m.Called(k); err != nil {
		return nil, q.lost("where the program entered the kernel for the last time", err)
	}
	did := "ran when the program was ended"
	if q.Signal != 0 {
		did += " by " + signalName(int64(q.Signal))
	}
	if q.out.Victim, err = q.side(did); err != nil {
		return nil, err
	}
	q.out.Victim.At = end
	return &crash{entry: exits}, nil
}

// text reads a string whose two words are the first argument of a function.
func (q *inquiry) text(data, size uint64) string {
	b := make([]byte, min(size, 1<<10))
	if err := q.m.Read(b, data); err != nil {
		return ""
	}
	return string(b)
}

// ToCrash moves the machine to the moment at which the trial's program crashes,
// which is that of the runtime's first word about it.
func ToCrash(c Case) error {
	q := &inquiry{Case: c, m: c.Machine, out: &Explanation{}}
	_, err := q.crash()
	return err
}
