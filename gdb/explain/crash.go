package explain

import (
	"errors"

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
var ends = []string{"runtime.throw", "runtime.fatal", "runtime.fatalpanic", "runtime.fatalsignal", "runtime.dieFromSignal", "runtime.exit"}

// near is how many instructions before the crash the cause of most lies: some
// time slices of a fast vCPU, 0.2 s for QEMU.
const near = 2_000_000

// crash runs to the moment at which the trial's program crashes, and makes the
// victim of the goroutine there.
func (q *inquiry) crash() (*crash, error) {
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
	err := q.m.Forward(func() (bool, error) {
		user, err := q.m.User()
		if err != nil || !user || q.Begun == nil {
			return user, err
		}
		return q.Begun()
	}, points...)
	if errors.Is(err, travel.ErrEnd) {
		return nil, &NotFoundError{"the program ended without a word of the Go runtime's"}
	}
	if err != nil {
		return nil, err
	}
	if q.space, err = q.m.Space(); err != nil {
		return nil, err
	}
	if q.out.Victim, err = q.side("ended the program"); err != nil {
		return nil, err
	}
	r, err := q.m.Registers()
	if err != nil {
		return nil, err
	}
	c := &crash{entry: names[r.Pc]}
	if c.entry == "runtime.throw" || c.entry == "runtime.fatal" {
		c.message = q.text(r.Regs[0], r.Regs[1])
	}
	q.out.Message = c.message
	return c, q.m.Near(near)
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
