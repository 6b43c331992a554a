package vm

import (
	"fmt"
	"time"
)

// watchdog measures for how long a guest has said nothing. Time in which the lab did
// not look does not count: it was busy with what the guest had said, waited for a
// terminal, or was stopped itself.
type watchdog struct {
	looked time.Time     // when the lab looked last
	silent time.Duration // since the guest's last word
	spent  time.Duration // QEMU's processor time by then
	used   time.Duration // QEMU's processor time, as last seen
	asked  time.Duration // silent, when that was
	still  time.Duration // the part of silent since QEMU last used the processor
	// stopped says that QEMU is, by a signal or a debugger of this host.
	stopped bool
	warned  bool
}

const (
	// glance is the most that counts between two looks; there are 50 a second.
	glance = time.Second
	// asking is how often QEMU's processor time is asked for.
	asking = 250 * time.Millisecond
	// stillLimit is how long a QEMU may use no processor time at all before its guest
	// is no longer one that waits for a slow host: that would give it some. One whose
	// program sleeps uses some too: 10 ms, the least that Linux tells, in each 6 s
	// (the worst of 20 s with 1, 2 and 4 vCPUs on a busy host).
	stillLimit = 30 * time.Second
	// stoppedLimit is how long a QEMU may be stopped, stoppedNotice when the
	// researcher hears of that. Of one that only stands still it is stillLimit.
	stoppedLimit  = time.Minute
	stoppedNotice = 10 * time.Second
)

// heard notes a word of the guest's. spent is QEMU's processor time.
func (w *watchdog) heard(now time.Time, spent time.Duration) {
	*w = watchdog{looked: now, spent: spent, used: spent}
}

// look notes that the guest has said nothing since the last time. process asks for
// QEMU's processor time, zero where that is not known, and whether it is stopped.
func (w *watchdog) look(now time.Time, process func() (time.Duration, bool)) {
	passed := min(now.Sub(w.looked), glance)
	w.looked = now
	w.silent += passed
	w.still += passed
	if w.silent-w.asked < asking {
		return
	}
	w.asked = w.silent
	used, stopped := process()
	if used != w.used || used == 0 {
		w.used, w.still, w.warned = used, 0, false
	}
	w.stopped = stopped
}

// hung says whether a guest that may be silent for limit is given up: one that has had
// processor time and used it for nothing, or has had none for long.
func (w *watchdog) hung(limit time.Duration) bool {
	switch {
	case w.silent > slowHost*limit, w.stopped && w.still > stoppedLimit:
		return true
	}
	return w.silent > limit && (w.used-w.spent > limit/2 || w.still > stillLimit)
}

// warning is what the researcher should know of a QEMU that stands still, once; else
// it is empty.
func (w *watchdog) warning(now time.Time, limit time.Duration, pid int) string {
	if w.warned || w.still < stoppedNotice || !w.stopped && w.still < stillLimit {
		return ""
	}
	w.warned = true
	left := max(limit-w.silent, stillLimit-w.still)
	if w.stopped {
		left = min(left, stoppedLimit-w.still)
	}
	until := now.Add(min(left, slowHost*limit-w.silent)).Format(time.TimeOnly)
	if w.stopped {
		return fmt.Sprintf("QEMU (process %d) is stopped, by a signal or a debugger of this host; `kill -CONT %d` lets it go on, and it is given up at %s", pid, pid, until)
	}
	return fmt.Sprintf("says nothing, and QEMU (process %d) has used no processor time for %v; it is given up at %s", pid, w.still.Round(time.Second), until)
}

// why says what was seen of a QEMU that stood still, nil where it did not.
func (w *watchdog) why(pid int) error {
	switch {
	case w.stopped:
		return fmt.Errorf("process %d was stopped, by a signal or a debugger of this host, for %v", pid, w.still.Round(time.Second))
	case w.still > stillLimit:
		return fmt.Errorf("process %d used no processor time for %v", pid, w.still.Round(time.Second))
	}
	return nil
}
