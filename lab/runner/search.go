package runner

import (
	"time"

	"ghostlab/lab/crash"
	"ghostlab/lab/hunt"
	"ghostlab/lab/journal"
)

// aimTime is how long the trials of a guest of a hunt shall take: long enough
// that starting it, 0.3 s, is a small part, short enough to learn from it soon.
const aimTime = 2 * time.Second

// firstBatch is the number of trials in the first guest of an arm, whose cost is
// not known yet.
const firstBatch = 4

func (r *run) startHunts() {
	arms := r.Arms
	if arms == nil {
		arms = hunt.Arms()
	}
	for range r.Cells {
		r.hunts = append(r.hunts, hunt.New(arms, r.Matrix.Seed))
		r.pace = append(r.pace, map[hunt.Arm]time.Duration{})
	}
}

// aim chooses the arm for a guest of a cell and takes trials for it, which it
// gives their schedules.
func (r *run) aim(t *turn, cell int) {
	h := r.hunts[cell]
	t.arm = h.Next()
	arm := h.Arm(t.arm)
	size := firstBatch
	if pace := r.pace[cell][arm]; pace > 0 {
		size = int(aimTime / pace)
	}
	t.batch = r.take(cell, min(max(size, 1), batchSize))
	for _, tr := range t.batch {
		tr.schedule = r.Matrix.Hunting(tr.n, arm)
	}
	t.kind = r.kind(t.batch[0])
	t.sink = func(j journal.Trial, ev journal.Evidence) {
		t.lastEnd = time.Now()
		if t.firstEnd.IsZero() {
			t.firstEnd = t.lastEnd
		}
		if r.wants(j) {
			t.found++
		}
		t.record(j, ev)
	}
}

// learn tells the hunt of a cell what a guest has found.
func (r *run) learn(t *turn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	cell := t.batch[0].cell
	h := r.hunts[cell]
	h.Done(t.arm, t.done, t.found, time.Since(t.began))
	if t.done > 1 {
		// The first trial translates the program for the others.
		r.pace[cell][h.Arm(t.arm)] = t.lastEnd.Sub(t.firstEnd) / time.Duration(t.done-1)
	}
}

func (r *run) wants(t journal.Trial) bool {
	if r.Wanted != nil {
		return r.Wanted(t)
	}
	return Failed(t)
}

// Failed says whether a trial's program failed. Hangs do not count: a slow
// virtual CPU can be too slow.
func Failed(t journal.Trial) bool {
	return t.Outcome == crash.Crash || t.Outcome == crash.GuestPanic
}

// judge counts a wanted trial, and ends the run with the last.
func (r *run) judge(t journal.Trial) {
	if r.hunts == nil && r.Enough == 0 || !r.wants(t) {
		return
	}
	r.wanted = append(r.wanted, journal.Found{Trial: t.N, Title: t.Title})
	if len(r.wanted) == r.Enough {
		r.stop()
	}
}

// found says whether the run has ended because enough was found.
func (r *run) found() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.Enough > 0 && len(r.wanted) >= r.Enough
}

// endHunts records what was learnt.
func (r *run) endHunts() error {
	if r.hunts == nil {
		return nil
	}
	var all [][]hunt.Tally
	for _, h := range r.hunts {
		all = append(all, h.Tallies())
	}
	return r.Folder.SetHunts(all, r.wanted)
}
