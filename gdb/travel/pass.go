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
	if err := f(); err != nil {
		m.clear(points) // what failed first is what counts
		return err
	}
	return m.clear(points)
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
	from, err := m.Now()
	if err != nil {
		return err
	}
	if hit, err := m.justBefore(from, points); hit || err != nil {
		return err
	}
	if m.far(from) {
		if err := m.Near(); err != nil {
			return err
		}
	}
	var stop rsp.Stop
	err = m.with(points, func() (err error) {
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
	if slices.Contains(m.snapshots, now) {
		// QEMU stops at a snapshot where no point lies between it and the next.
		if on, err := m.on(points); err != nil {
			return err
		} else if !on {
			return m.back(points)
		}
	}
	m.accessed = now
	return m.settle(now, points)
}

// close is how many instructions before a moment are looked at one by one. Where
// a value came from is mostly that near, and a run backwards may meet the point a
// million times on the way from the last snapshot. QEMU's would also miss a point
// one instruction back.
const close = 24

// justBefore goes back to the last point among the few instructions before from,
// if there is one. Otherwise the machine ends at from.
func (m *Machine) justBefore(from int64, points []Point) (hit bool, err error) {
	now := max(from-close, m.start)
	if from < m.start+2 {
		return false, nil
	}
	if err := m.Go(now); err != nil {
		return false, err
	}
	last := int64(-1)
	for now < from {
		at := now
		on, err := m.on(points)
		if err != nil {
			return false, err
		}
		hit, err := m.step(points)
		if err != nil {
			return false, err
		}
		if now, err = m.Now(); err != nil {
			return false, err
		}
		switch watched := slices.ContainsFunc(points, watch); {
		case on:
			last = at
		case hit && watched && (now < from || now == from && from != m.accessed):
			last = now // after the access, but that which a run has stopped at
		}
	}
	if last < 0 {
		return false, nil
	}
	m.accessed = last
	return true, errors.Join(m.Go(last), m.settle(last, points))
}

func watch(p Point) bool { return p.Kind != rsp.Breakpoint }

// settle is for a machine that went to an instruction at which one of the points
// stops it. Before an instruction that faults and at the kernel's first after
// it, the count is the same, and the machine may have come to the other.
func (m *Machine) settle(instruction int64, points []Point) error {
	if slices.ContainsFunc(points, watch) {
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
