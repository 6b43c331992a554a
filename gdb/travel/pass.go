package travel

import (
	"errors"
	"slices"

	"ghostlab/gdb/rsp"
)

// with has points set while f runs: a machine that is moved otherwise must not
// meet them.
func (m *Machine) with(points []Point, f func() error) (err error) {
	for i, p := range points {
		if err := m.stub.Insert(m.ctx, p); err != nil {
			m.clear(points[:i])
			return err
		}
	}
	defer func() { err = errors.Join(err, m.clear(points)) }()
	return f()
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

// forward runs to the next point.
func (m *Machine) forward(points []Point) error {
	// A run that begins at a breakpoint would end there.
	if on, err := m.on(points); err != nil {
		return err
	} else if on {
		if hit, err := m.step(points); hit || err != nil {
			return err
		}
	}
	var stop rsp.Stop
	err := m.with(points, func() (err error) {
		m.moved()
		stop, err = m.stub.Continue(m.ctx)
		return err
	})
	switch {
	case err != nil:
		return err
	case stop.Signal != rsp.Trap:
		return ErrEnd
	}
	if on, err := m.on(points); err != nil || on {
		return err
	}
	_, err = m.step(points) // carries out the access
	return err
}

// step executes one instruction and says whether that reached a point. QEMU
// stops a replay before an access, and does so for ever while the point is set.
func (m *Machine) step(points []Point) (hit bool, err error) {
	before, err := m.Registers()
	if err != nil {
		return false, err
	}
	if err := m.with(points, m.Step); err != nil {
		return false, err
	}
	now, err := m.Registers()
	if err != nil {
		return false, err
	}
	if now.Pc == before.Pc {
		return true, m.Step()
	}
	return m.on(points)
}

// on says whether the machine stands at a breakpoint.
func (m *Machine) on(points []Point) (bool, error) {
	r, err := m.Registers()
	if err != nil {
		return false, err
	}
	return slices.Contains(points, At(r.Pc)), nil
}

// back runs backwards to the point before this moment.
func (m *Machine) back(points []Point) error {
	if hit, err := m.justBefore(points); hit || err != nil {
		return err
	}
	var stop rsp.Stop
	err := m.with(points, func() (err error) {
		m.moved()
		stop, err = m.stub.ContinueBack(m.ctx)
		return err
	})
	if err != nil {
		return err
	}
	now, err := m.Now()
	// A run that meets no point stops at the start.
	if err != nil || stop.Signal != rsp.Trap || now <= m.start {
		return errors.Join(err, ErrEnd)
	}
	return m.settle(now, points)
}

// justBefore goes back by one instruction if there is a point. QEMU looks for
// points up to the one before that. Otherwise the machine stays.
func (m *Machine) justBefore(points []Point) (hit bool, err error) {
	from, err := m.Now()
	if err != nil || from < m.start+2 {
		return false, err
	}
	if err := m.Go(from - 2); err != nil {
		return false, err
	}
	if hit, err := m.step(points); hit || err != nil {
		return hit, err
	}
	return false, m.Step()
}

// settle is for a machine that went to an instruction at which one of the points
// stops it. Before an instruction that faults and at the kernel's first after
// it, the count is the same, and the machine may have come to the other.
func (m *Machine) settle(instruction int64, points []Point) error {
	if slices.ContainsFunc(points, func(p Point) bool { return p.Kind != rsp.Breakpoint }) {
		return nil
	}
	if on, err := m.on(points); err != nil || on {
		return err
	}
	if err := m.Go(instruction - 1); err != nil {
		return err
	}
	return m.Forward(nil, points...)
}
