package explain

import (
	"errors"
	"time"

	"ghostlab/gdb/travel"
)

// writer runs backwards from the moment to the write to memory that the victim
// met, and makes the culprit of who made it. The machine stands just after a
// write when met is asked, and before it when met has told what was done; met
// tells nothing of other writes.
func (q *inquiry) writer(addr uint64, size int, seen int64, met func() (did string, err error)) error {
	q.seek("the last write to the %d bytes at %#x", size, addr)
	did, kernel := "", false
	err := q.m.Back(func() (bool, error) {
		space, err := q.m.Space()
		if err != nil || space != q.space {
			return false, err
		}
		user, err := q.m.User()
		if err != nil {
			return false, err
		}
		kernel = !user
		did, err = met()
		return did != "", err
	}, travel.Writes(addr, size))
	if errors.Is(err, travel.ErrEnd) {
		return &NotFoundError{"nothing wrote that word since the trial began"}
	}
	if err != nil {
		return q.lost("the write that the victim met", err)
	}
	if kernel {
		return q.kernelWrote(did, seen)
	}
	if q.out.Culprit, err = q.side(did); err != nil {
		return err
	}
	return q.apart(seen)
}

// apart measures how far the culprit is from the victim's moment, and says who ran
// between the two. The machine stands at the culprit's moment.
func (q *inquiry) apart(end int64) error {
	q.out.Apart = end - q.out.Culprit.At
	q.out.TimeApart = time.Duration(q.out.Apart) << q.Shift
	if err := q.m.Go(q.out.Culprit.At); err != nil {
		return err
	}
	q.seek("who ran between the two")
	return q.schedule(end)
}
