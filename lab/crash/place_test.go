package crash

import (
	"strings"
	"testing"
)

func TestPlace(t *testing.T) {
	const assist = "runtime.throw runtime.(*unwinder).finishInternal runtime.(*unwinder).next runtime.scanstack runtime.markroot runtime.gcDrainN runtime.gcAssistAlloc1 runtime.gcAssistAlloc.func2 runtime.systemstack runtime.systemstack_switch runtime.gcAssistAlloc runtime.mallocgc main.innocent"
	for _, c := range []struct{ name, message, frames, want string }{
		{"a goroutine that helps the collector", "fatal error: traceback did not unwind completely", assist, "runtime.(*unwinder).next"},
		{"no frames", "fatal error: x", "", ""},
		{"messengers only", "fatal error: x", "runtime.throw.func1 runtime.throw runtime.systemstack runtime.goexit", ""},
		{"memory", "fatal error: runtime: out of memory", "runtime.throw runtime.(*mheap).grow runtime.systemstack runtime.mallocgc main.hog", "main.hog"},
		{"broken heap", "fatal error: unexpected signal during runtime execution", "runtime.throw runtime.sigpanic runtime.nextFreeFast runtime.mallocgc main.innocent", "runtime.nextFreeFast"},
		{"map", "fatal error: fault", "runtime.throw runtime.sigpanic runtime.mapassign_fast64 main.f", "main.f"},
		{"reflection", "fatal error: concurrent map writes", "runtime.fatal reflect.mapassign0 reflect.Value.SetMapIndex main.f", "main.f"},
		{"not the runtime's", "panic: x", "panic runtimes.f main.g", "runtimes.f"},
		{"profiler", "panic: x", "panic runtime/pprof.StartCPUProfile main.g", "main.g"},
		{"repeated panic", "panic: x", "panic lib.(*T).rethrow panic runtime.goPanicIndex main.f", "main.f"},
		{"throw while panicking", "fatal error: x", "runtime.throw main.deferred panic main.f", "main.deferred"},
		{"panic at the bottom", "panic: x", "main.f panic", "main.f"},
		{"recursion over the library", "fatal error: stack overflow", "main.leaf fmt.Sprint main.T.String fmt.Sprint main.T.String fmt.Sprint", "main.T.String"},
		{"recursion that never returns here", "fatal error: stack overflow", "runtime.throw runtime.newstack main.big main.main", "main.big"},
	} {
		var frames []Frame
		for f := range strings.FieldsSeq(c.frames) {
			frames = append(frames, Frame{Func: f})
		}
		if got := place(c.message, frames); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestNormalise(t *testing.T) {
	for in, want := range map[string]string{
		"panic: x [recovered]":                          "panic: x",
		"panic: x [recovered, repanicked]":              "panic: x",
		"panic: at 0xc00001 and 123456":                 "panic: at ADDR and N",
		"panic: worker 12":                              "panic: worker 12",
		"panic: goroutine 12 is lost":                   "panic: goroutine N is lost",
		"fatal error: cannot allocate 8-byte block":     "fatal error: cannot allocate N-byte block",
		"index out of range [-1]":                       "index out of range [N]",
		"index out of range [5] with length 3":          "index out of range [N] with length N",
		"slice bounds out of range [2:1]":               "slice bounds out of range [N:N]",
		"slice bounds out of range [:5:]":               "slice bounds out of range [:N:]",
		"slice bounds out of range [::5] with cap 3":    "slice bounds out of range [::N] with cap 3",
		"panic: caf\u00e9 \u202e\u2066 \x1b[2J\x9b\xff": "panic: caf\u00e9 ?? ?[2J?",
		strings.Repeat("x", 300):                        strings.Repeat("x", 200) + "…",
	} {
		if got := normalise(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestCode(t *testing.T) {
	for in, want := range map[string]int32{"1": 1, "0x2": 2, "128": 128, "18446744073709551610": -6, "0xfffffffffffffffa": -6, "": 0} {
		if got := code(in); got != want {
			t.Errorf("%q: %d, want %d", in, got, want)
		}
	}
}
