package explain

import (
	"testing"

	"ghostlab/gdb/travel"
)

// The call that looked is found beneath those by which Go's releases end a
// program, and in a panic during a panic it is that of the first.
func TestTheCallThatLooked(t *testing.T) {
	for _, c := range []struct {
		stack []string
		want  string
		knows bool
		top   string
	}{
		{[]string{"runtime.fatalpanic", "runtime.gopanic", "runtime.goPanicIndex", "main.at", "main.main"}, "main.at", false, "runtime.fatalpanic"},
		{[]string{"runtime.fatalpanic", "runtime.gopanic", "runtime.panicBounds64", "runtime.panicBounds", "main.at"}, "main.at", false, "runtime.fatalpanic"},
		{[]string{"runtime.fatalpanic", "runtime.gopanic", "testing.tRunner.func1.2", "testing.tRunner.func1", "runtime.gopanic", "runtime.closechan", "x.TestClose"}, "runtime.closechan", true, "runtime.gopanic"},
		{[]string{"runtime.fatal", "internal/sync.fatal", "internal/sync.(*Mutex).unlockSlow", "internal/sync.(*Mutex).Unlock", "main.main"}, "internal/sync.(*Mutex).unlockSlow", true, "runtime.fatal"},
		{[]string{"runtime.fatal", "sync.fatal", "sync.(*RWMutex).Unlock", "main.main"}, "sync.(*RWMutex).Unlock", true, "runtime.fatal"},
		{[]string{"runtime.exit", "syscall.Exit", "os.Exit", "log.(*Logger).Fatalf", "main.main"}, "main.main", false, "runtime.exit"},
		{[]string{"testing.(*common).Fail", "testing.(*common).Errorf", "x.TestCount", "testing.tRunner"}, "x.TestCount", false, "testing.(*common).Fail"},
		{[]string{"runtime.gopanic", "runtime.getitab", "runtime.typeAssert", "main.get"}, "runtime.typeAssert", true, "runtime.gopanic"},
		{[]string{"runtime.dieFromSignal", "main.main"}, "", false, "runtime.dieFromSignal"},
		{[]string{"runtime.throw"}, "", false, "runtime.throw"},
	} {
		q := &inquiry{out: &Explanation{Victim: &Side{}}}
		for _, name := range c.stack {
			q.out.Victim.Stack = append(q.out.Victim.Stack, travel.Frame{Func: name})
		}
		f, k := q.checking()
		got := ""
		if f != nil {
			got = f.Func
		}
		if top := q.out.Victim.Stack[0].Func; got != c.want || (k != nil) != c.knows || top != c.top {
			t.Errorf("%v: %q, known %v, the stack begins with %s", c.stack, got, k, top)
		}
	}
}
