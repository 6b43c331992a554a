package explain

import (
	"time"

	"ghostlab/gdb/travel"
)

// writer runs backwards from the moment to the write to memory that the victim
// met, and makes the culprit of who made it. The machine stands just after a
// write when met is asked, and before it when met has told what was done; met
// tells nothing of other writes.
func (q *inquiry) writer(addr uint64, size int, seen int64, met func() (did string, err error)) error {
	did := ""
	err := q.m.Back(func() (bool, error) {
		if ok, err := q.ours(); err != nil || !ok {
			return false, err
		}
		var err error
		did, err = met()
		return did != "", err
	}, travel.Writes(addr, size))
	if err != nil {
		return q.lost("the write that the victim met", err)
	}
	culprit, err := q.side(did)
	if err != nil {
		return err
	}
	q.out.Culprit = culprit
	q.out.Apart = seen - culprit.At
	q.out.TimeApart = time.Duration(q.out.Apart) << q.Shift
	return q.schedule(seen)
}
