package explain

import (
	"errors"
	"fmt"
	"slices"

	"ghostlab/gdb/travel"
)

// signal is one that the program's handler got.
type signal struct {
	number, code int64
	// addr is the address that could not be accessed, pc the instruction that
	// was interrupted.
	addr, pc uint64
}

// Signals that an instruction brings upon itself, and codes of theirs
// (include/uapi/asm-generic/siginfo.h).
const (
	sigQUIT                                  = 3
	sigILL, sigTRAP, sigBUS, sigFPE, sigSEGV = 4, 5, 7, 8, 11

	accessError = 2 // SEGV_ACCERR
)

var signalNames = map[int64]string{1: "SIGHUP", 2: "SIGINT", sigQUIT: "SIGQUIT", sigILL: "SIGILL", sigTRAP: "SIGTRAP", 6: "SIGABRT", sigBUS: "SIGBUS", sigFPE: "SIGFPE", 9: "SIGKILL", sigSEGV: "SIGSEGV", 13: "SIGPIPE", 14: "SIGALRM", 15: "SIGTERM"}

// signalName is a signal's name, or its number.
func signalName(n int64) string {
	if name, ok := signalNames[n]; ok {
		return name
	}
	return fmt.Sprintf("signal %d", n)
}

// faults says whether an instruction of the program brought the signal about.
func (s *signal) faults() bool {
	return s.code > 0 && slices.Contains([]int64{sigILL, sigTRAP, sigBUS, sigFPE, sigSEGV}, s.number)
}

// Where the kernel's words of a signal are (include/uapi/asm-generic/siginfo.h,
// arch/arm64/include/uapi/asm/sigcontext.h).
const (
	siginfoCode, siginfoAddr = 8, 16
	ucontextPC               = 440
)

// preemption is the signal by which the Go runtime stops its own threads, SIGURG.
const preemption = 23

// signal goes back to where the victim's thread was given the signal that it
// ended of, and reads the kernel's words of it.
func (q *inquiry) signal() (*signal, error) {
	q.seek("the signal that the program ended of")
	victim := q.of(q.out.Victim.ID)
	err := q.m.Last(func() (bool, error) {
		if ok, err := victim(); err != nil || !ok {
			return false, err
		}
		r, err := q.m.Registers()
		return err == nil && r.Regs[0] != preemption, err
	}, q.trampolines()...)
	if err != nil {
		return nil, q.lost("the signal that the program ended of", err)
	}
	r, err := q.m.Registers()
	if err != nil {
		return nil, err
	}
	s := &signal{number: int64(r.Regs[0])}
	code, err := q.m.Uint(r.Regs[1]+siginfoCode, 4)
	if err != nil {
		return nil, err
	}
	s.code = int64(int32(code))
	if s.addr, err = q.m.Uint(r.Regs[1]+siginfoAddr, 8); err == nil {
		s.pc, err = q.m.Uint(r.Regs[2]+ucontextPC, 8)
	}
	return s, err
}

// trampolines are where the program is given a signal. Its number is in x0, the kernel's
// words of it are in x1 and x2.
func (q *inquiry) trampolines() (points []travel.Point) {
	for _, name := range []string{"runtime.sigtramp", "runtime.cgoSigtramp"} {
		if entry, ok := q.m.Function(name); ok {
			points = append(points, travel.At(entry))
		}
	}
	return points
}

// toFault goes back from where a signal was given to the instruction that
// brought it about, before it is carried out.
func (q *inquiry) toFault(s *signal) error {
	q.seek("the instruction that faulted")
	entries, err := q.m.Entries()
	if err != nil {
		return err
	}
	err = q.m.Last(func() (bool, error) {
		if space, err := q.m.Space(); err != nil || space != q.space {
			return false, err
		}
		why, entered, err := q.m.Interrupted()
		return err == nil && entered && (why == travel.PageFault || why == travel.Exception) && q.m.PC() == s.pc, err
	}, entries...)
	if err != nil {
		return q.lost(fmt.Sprintf("the instruction at %#x that faulted", s.pc), err)
	}
	// It was not carried out: it and the kernel's first have one count.
	at, err := q.m.Now()
	if err == nil {
		err = q.m.Go(at - 1)
	}
	if err == nil {
		err = q.m.Step()
	}
	return err
}

// fault explains a signal that the victim died of.
func (q *inquiry) fault() error {
	s, err := q.signal()
	if err != nil {
		return err
	}
	if !s.faults() {
		q.out.Victim.Did = "got " + signalName(s.number)
		return q.sender(s.number, q.out.Victim.At)
	}
	if err := q.toFault(s); err != nil {
		return err
	}
	return q.access(s)
}

// senders are system calls that send a signal, with the place of its number among
// their arguments.
var senders = map[string]int{"kill": 1, "tkill": 1, "tgkill": 2, "rt_sigqueueinfo": 1, "rt_tgsigqueueinfo": 2, "pidfd_send_signal": 1}

// killer is the kernel's function that ends a process when there is no memory.
const killer = "oom_kill_process"

// sender explains a signal that did not come from an instruction of the
// victim's: it makes the culprit of who sent it.
func (q *inquiry) sender(number, at int64) error {
	q.seek("who sent %s", signalName(number))
	k, err := q.kernel()
	if err != nil {
		return err
	}
	var calls []string
	for c := range senders {
		calls = append(calls, c)
	}
	slices.Sort(calls)
	points := k.Handlers(calls...)
	oom, known := k.Function(killer)
	if known {
		points = append(points, oom)
	}
	outOfMemory := false
	call, err := q.lastCall(k, points, func(c *travel.Call) bool {
		i, sends := senders[c.Name]
		outOfMemory = !sends
		// init ends with kill(-1) what a trial has left.
		return outOfMemory || int64(c.Args[i]) == number && !(c.Name == "kill" && int32(c.Args[0]) == -1)
	})
	switch {
	case err != nil:
		return err
	case call == nil:
		q.note("no program sent %s: it was the kernel", signalName(number))
		return q.lastTurns(at)
	case outOfMemory:
		q.note("the kernel ended the program because the guest had no memory left: --memory gives it more")
		return q.lastTurns(at)
	}
	return q.called(call, fmt.Sprintf("sent %s, by %s", signalName(number), call.Name), at)
}

// kernel is the guest's.
func (q *inquiry) kernel() (*travel.Kernel, error) {
	if q.known != nil {
		return q.known, nil
	}
	var err error
	q.known, err = travel.OpenKernel(q.Vmlinux)
	return q.known, err
}

// lastCall goes back to the last system call that is wanted, at one of points,
// and makes the machine show who made it. It returns nil where there is none
// since the trial began.
func (q *inquiry) lastCall(k *travel.Kernel, points []travel.Point, wanted func(*travel.Call) bool) (*travel.Call, error) {
	var call *travel.Call
	err := q.m.Last(func() (ok bool, err error) {
		if call, err = q.m.Caller(k); err != nil {
			return false, nil // not a system call's function, or another process's
		}
		return wanted(call), nil
	}, points...)
	if errors.Is(err, travel.ErrEnd) {
		return nil, nil
	}
	if err != nil {
		return nil, q.lost("the system call", err)
	}
	return q.m.Caller(k)
}

// called makes the culprit of who made the system call at whose beginning the
// machine stands.
func (q *inquiry) called(c *travel.Call, did string, end int64) error {
	at, err := q.m.Now()
	if err != nil {
		return err
	}
	culprit := &Side{At: at, Did: did + ", as another process"}
	if space, err := q.m.Space(); err != nil {
		return err
	} else if space == q.space {
		if culprit, err = q.side(did); err != nil {
			return err
		}
	}
	return q.blame(culprit, end)
}
