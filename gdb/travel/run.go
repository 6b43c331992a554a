package travel

import (
	"errors"
	"fmt"
	"slices"

	"ghostlab/gdb/rsp"
)

// Point is where a run stops: see rsp.Point.
type Point = rsp.Point

// At is a point before the instruction at addr.
func At(addr uint64) Point { return Point{Kind: rsp.Breakpoint, Addr: addr, Size: 4} }

// Writes and Accesses are points just after an instruction that writes, or that
// reads or writes, any of size bytes from addr.
func Writes(addr uint64, size int) Point   { return Point{Kind: rsp.Write, Addr: addr, Size: size} }
func Accesses(addr uint64, size int) Point { return Point{Kind: rsp.Access, Addr: addr, Size: size} }

// ErrEnd is returned where the log ends, or where it begins for a run backwards,
// before a point was reached.
var ErrEnd = errors.New("no point is reached before the log's end")

// mostPasses bounds how often a run backwards goes over points that are not
// wanted: each time takes QEMU two runs from its last snapshot, 0.1 s.
const mostPasses = 500

// PassesError says that a point was reached too often without being the one
// that is wanted.
type PassesError struct{ Passes int }

func (e *PassesError) Error() string {
	return fmt.Sprintf("%d other accesses lie between", e.Passes)
}

// Go moves the machine to an instruction.
func (m *Machine) Go(instruction int64) error {
	m.moved()
	if err := m.replay.Seek(m.ctx, max(instruction, m.start)); err != nil {
		return err
	}
	return m.stub.Resync(m.ctx)
}

// rungs are how far before a moment snapshots are taken, in instructions: QEMU
// looks for a point from the nearest snapshot on and, where there is none, from
// the one before. A point that is reached often costs some microseconds each
// time, so that the first look is a short one; a snapshot costs 0.1 s.
var rungs = []int64{2_000_000, 100_000}

// farthest is how far before a moment the nearest snapshot may be without being
// worth another: QEMU takes 0.1 s for as many instructions.
const farthest = 4_000_000

// Near makes it cheap to go back to moments shortly before this. The machine
// stays where it is.
func (m *Machine) Near() error {
	now, err := m.Now()
	if err != nil {
		return err
	}
	for _, span := range rungs {
		from := now - span
		if from <= m.start {
			continue
		}
		if err := m.Go(from); err != nil {
			return err
		}
		if slices.Contains(m.snapshots, from) {
			continue
		}
		dropped, err := m.replay.Snapshot(snapshotAt(from))
		m.snapshots = slices.DeleteFunc(m.snapshots, func(at int64) bool { return snapshotAt(at) == dropped })
		if err != nil {
			return err
		}
		m.snapshots = append(m.snapshots, from)
	}
	return m.Go(now)
}

// snapshotAt is the name of the snapshot of an instruction.
func snapshotAt(instruction int64) string { return fmt.Sprintf("at-%d", instruction) }

// far says whether going back from a moment begins far before it.
func (m *Machine) far(now int64) bool {
	nearest := m.start
	for _, at := range m.snapshots {
		if at < now {
			nearest = max(nearest, at)
		}
	}
	return now-nearest > farthest
}

// Forward runs to the first moment after this at one of the points, at which
// wanted returns true. Nil wants the first.
func (m *Machine) Forward(wanted func() (bool, error), points ...Point) error {
	return m.travel(false, 0, wanted, points)
}

// Back runs backwards to the last moment before this, see Forward. wanted may
// move the machine. It looks at few moments only, as going to each takes two
// runs from the last snapshot.
func (m *Machine) Back(wanted func() (bool, error), points ...Point) error {
	return m.travel(true, mostPasses, wanted, points)
}

// Last is Back for points that may be reached often without being wanted: then
// it runs forwards, from ever further before this moment, and goes to the last
// one that is wanted. wanted must not move the machine.
func (m *Machine) Last(wanted func() (bool, error), points ...Point) error {
	err := m.travel(true, firstPasses, wanted, points)
	var many *PassesError
	if !errors.As(err, &many) {
		return err
	}
	to, err := m.Now()
	if err != nil {
		return err
	}
	seen := 0
	for span := int64(firstSpan); ; span *= 8 {
		from := max(to-span, m.start)
		if err := m.Go(from); err != nil {
			return err
		}
		last := int64(-1)
		err := m.Forward(func() (bool, error) {
			now, err := m.Now()
			if err != nil || now >= to {
				return true, err
			}
			if seen++; seen > mostSeen {
				return false, &PassesError{seen}
			}
			ok, err := wanted()
			if ok {
				last = now
			}
			return false, err
		}, points...)
		switch {
		case err != nil && !errors.Is(err, ErrEnd):
			return err
		case last >= 0:
			return errors.Join(m.Go(last), m.settle(last, points))
		case from == m.start:
			return ErrEnd
		}
		to = from + 1 // a point that the run began at did not stop it
	}
}

const (
	// firstSpan is a time slice of 10 ms on a CPU of shift 7, in instructions.
	firstSpan = 80_000
	// firstPasses is how often Last tries what Back does, and mostSeen how many
	// moments it looks at after that: a minute.
	firstPasses = 3
	mostSeen    = 30_000
)

func (m *Machine) travel(back bool, most int, wanted func() (bool, error), points []Point) error {
	once := m.forward
	if back {
		once = m.back
	}
	for passes := 0; most == 0 || passes < most; passes++ {
		if err := once(points); err != nil {
			return err
		}
		if wanted == nil {
			return nil
		}
		if ok, err := wanted(); ok || err != nil {
			return err
		}
	}
	return &PassesError{most}
}

// Since has runs backwards end at an instruction while f runs, as if the log began there.
func (m *Machine) Since(instruction int64, f func() error) error {
	start := m.start
	m.start = max(instruction, start)
	defer func() { m.start = start }()
	return f()
}

// StepBack goes back by one instruction.
func (m *Machine) StepBack() error {
	m.moved()
	_, err := m.stub.StepBack(m.ctx)
	return err
}

// Step executes one instruction.
func (m *Machine) Step() error {
	m.moved()
	_, err := m.stub.Step(m.ctx)
	return err
}
