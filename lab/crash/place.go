package crash

import (
	"regexp"
	"strings"
)

// place names the function that a title lays the crash at: the innermost that is
// not the runtime's, for the runtime mostly dies of what it is asked to do.
// Where it died of work of its own, or where there is no other function, it is
// the runtime's innermost function that does more than pass the news on.
func place(message string, frames []Frame) string {
	switch {
	case message == "fatal error: stack overflow":
		if f := recursive(frames); f != "" {
			return f
		}
	case strings.HasPrefix(message, "panic: "):
		frames = firstPanic(frames)
	}
	inner := innermost(frames)
	for _, f := range frames {
		if !plumbing(f.Func) {
			return f.Func
		}
		if ownWork.MatchString(f.Func) && !excused(message) {
			return inner
		}
	}
	return inner
}

func innermost(frames []Frame) string {
	for _, f := range frames {
		if !messenger.MatchString(f.Func) {
			return f.Func
		}
	}
	return ""
}

// plumbing reports whether a function carries out its caller's wish: the
// caller of (*Mutex).Unlock is to blame, not the mutex.
func plumbing(fn string) bool {
	return fn == "panic" || tools.MatchString(fn)
}

var tools = regexp.MustCompile(`^(?:runtime|runtime/.*|internal/.*|sync|reflect|maps|slices)\.`)

// messenger matches functions that report a crash, switch stacks, or are at the
// bottom of each stack. Closures (func1) and wrappers go with their function.
var messenger = regexp.MustCompile(`^(?:panic|` +
	`(?:runtime|sync|internal/sync|internal/runtime/maps)\.(?:throw|fatal)|` +
	`runtime\.(?:fatalthrow|fatalpanic|fatalsignal|gopanic|dopanic_m|startpanic_m|panic\w*|goPanic\w*|` +
	`sigpanic\w*|sighandler|sigtramp\w*|sigfwd\w*|badsignal\w*|raise\w*|abort|crash|exit|dieFromSignal|` +
	`print\w*|gwrite|write\w?|badPointer|\(\*unwinder\)\.finishInternal|` +
	`systemstack\w*|mcall|morestack\w*|newstack|asmcgocall\w*|cgocall\w*|asyncPreempt\w*|` +
	`gopark\w*|goexit\w*|main|mstart\w*|rt0_go))(?:\.func[0-9.]+)?$`)

// ownWork matches what the runtime does for itself, on whichever goroutine
// comes along: collecting, allocating, moving stacks, running threads. That
// goroutine's functions differ from crash to crash and explain none.
var ownWork = regexp.MustCompile(`^runtime\.(?:gc(?:Drain|Assist|Mark|Start|Sweep|BgMark)|markroot|scan(?:object|stack|block)|greyobject|` +
	`sweepone|bgsweep|bgscavenge|mallocgc|\(\*(?:sweepLocked|sweepLocker|mspan|mcache|mcentral|mheap|pageAlloc|fixalloc|unwinder)\)|` +
	`copystack|adjustframe|shrinkstack|schedule|findRunnable|sysmon|startm|newm|checkmcount)`)

// excused reports whether an end is the goroutine's doing even if it came to
// pass in the runtime's own work: it asked for too much, or for the impossible.
func excused(message string) bool {
	return strings.HasPrefix(message, "panic: ") || strings.Contains(message, "out of memory") || strings.Contains(message, "cannot allocate memory")
}

// firstPanic drops the frames of panics raised while the first was under way:
// those are often that one again, raised by whoever had recovered it.
func firstPanic(frames []Frame) []Frame {
	for i := len(frames) - 1; i >= 0; i-- {
		if (frames[i].Func == "panic" || frames[i].Func == "runtime.gopanic") && innermost(frames[i:]) != "" {
			return frames[i:]
		}
	}
	return frames
}

// recursive names one function of a cycle of calls, the same one wherever in
// the cycle the stack ended: the first by name, and not the standard library's
// if there is another.
func recursive(frames []Frame) string {
	best, seen := "", map[string]bool{}
	for _, f := range frames {
		if !seen[f.Func] {
			seen[f.Func] = true
			continue
		}
		if plumbing(f.Func) {
			continue
		}
		if best == "" || library(best) && !library(f.Func) || library(best) == library(f.Func) && f.Func < best {
			best = f.Func
		}
	}
	return best
}

// library guesses from the name whether a function is the standard library's:
// import paths there have no dot in their first element.
func library(fn string) bool {
	first, _, deep := strings.Cut(fn, "/")
	if deep {
		return !strings.Contains(first, ".")
	}
	return !strings.HasPrefix(fn, "main.")
}
