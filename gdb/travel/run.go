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
// wanted: each time takes QEMU two runs from its last snapshot.
const mostPasses = 60

// PassesError says that a point was reached too often without being the one
// that is wanted.
type PassesError struct{ Passes int }

func (e *PassesError) Error() string {
	return fmt.Sprintf("%d other accesses lie between", e.Passes)
}

// Forward runs to the first moment after this at one of the points, at which
// wanted returns true. Nil wants the first.
func (m *Machine) Forward(wanted func() (bool, error), points ...Point) error {
	return m.travel(false, wanted, points)
}

// Back runs backwards to the last moment before this, see Forward.
func (m *Machine) Back(wanted func() (bool, error), points ...Point) error {
	return m.travel(true, wanted, points)
}

func (m *Machine) travel(back bool, wanted func() (bool, error), points []Point) (err error) {
	for i, p := range points {
		if err := m.stub.Insert(m.ctx, p); err != nil {
			m.clear(points[:i])
			return err
		}
	}
	defer func() { err = errors.Join(err, m.clear(points)) }()
	for passes := 0; !back || passes < mostPasses; passes++ {
		if err := m.once(back, points); err != nil {
			return err
		}
		if wanted == nil {
			return nil
		}
		if ok, err := wanted(); ok || err != nil {
			return err
		}
	}
	return &PassesError{mostPasses}
}

func (m *Machine) clear(points []Point) error {
	var errs []error
	for _, p := range points {
		if m.ctx.Err() == nil { // else the stub is not there any more
			errs = append(errs, m.stub.Remove(m.ctx, p))
		}
	}
	return errors.Join(errs...)
}

func (m *Machine) once(back bool, points []Point) error {
	if back {
		m.moved()
		stop, err := m.stub.ContinueBack(m.ctx)
		if err != nil {
			return err
		}
		// A run that meets no point stops at the start.
		if now, err := m.Now(); err != nil || stop.Signal != rsp.Trap || now <= m.start {
			return errors.Join(err, ErrEnd)
		}
		return nil
	}
	// A run that begins at a breakpoint would end there.
	if on, err := m.on(points); err != nil {
		return err
	} else if on {
		if err := m.Step(); err != nil {
			return err
		}
		if on, err := m.on(points); err != nil || on {
			return err
		}
	}
	m.moved()
	stop, err := m.stub.Continue(m.ctx)
	if err == nil && stop.Signal != rsp.Trap {
		err = ErrEnd
	}
	return err
}

// on says whether the machine stands at a breakpoint.
func (m *Machine) on(points []Point) (bool, error) {
	r, err := m.Registers()
	if err != nil {
		return false, err
	}
	return slices.Contains(points, At(r.Pc)), nil
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
