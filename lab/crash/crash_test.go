package crash

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode"
)

const mapWrites = `fatal error: concurrent map writes

goroutine 7 [running]:
runtime.fatal({0xd1d8c?, 0x3fff?})
	runtime/panic.go:1096 +0x40 fp=0x400002ce70 sp=0x400002ce40 pc=0x430e0
runtime.mapassign_fast64(0xbc420, 0x4000072120, 0x368d)
	runtime/map_fast64.go:177 +0x2c0 fp=0x400002ceb0 sp=0x400002ce70 pc=0x1f710
main.writeFixed(...)
	ghost-map/main.go:78
main.run.func1(0x1)
	ghost-map/main.go:63 +0x224
created by main.run in goroutine 1
	ghost-map/main.go:55 +0x2dc

goroutine 1 [semacquire]:
sync.(*WaitGroup).Wait(0x4000012100)
	sync/waitgroup.go:116 +0x7c
`

func TestClassify(t *testing.T) {
	for _, c := range []struct {
		name    string
		e       Evidence
		outcome Outcome
		title   string
	}{
		{"pass", Evidence{Output: []byte("panic: just talking\n")}, Pass, ""},
		{"map", Evidence{Exit: 2, Output: []byte(mapWrites)}, Crash, "fatal error: concurrent map writes in main.writeFixed"},
		{"carriage returns", Evidence{Exit: 2, Output: []byte(strings.ReplaceAll(mapWrites, "\n", "\r\n"))}, Crash, "fatal error: concurrent map writes in main.writeFixed"},
		{"nil", Evidence{Exit: 2, Output: []byte("panic: runtime error: invalid memory address or nil pointer dereference\n[signal SIGSEGV: segmentation violation code=0x1 addr=0x0 pc=0x1]\n\ngoroutine 1 [running]:\nmain.f(0x1)\n\t/x/main.go:3 +0x4\n")}, Crash, "panic: runtime error: invalid memory address or nil pointer dereference in main.f"},
		{"addresses", Evidence{Exit: 2, Output: []byte("unexpected fault address 0xdeadbeef\nfatal error: fault\n[signal SIGSEGV]\n\ngoroutine 5 [running]:\nmain.g()\n\t/x/main.go:3 +0x4\n")}, Crash, "fatal error: fault in main.g"},
		{"recovered first", Evidence{Exit: 2, Output: []byte("panic: first\nstill here\npanic: second\n\ngoroutine 1 [running]:\nmain.h()\n\t/x/main.go:1\n")}, Crash, "panic: second in main.h"},
		{"numbers", Evidence{Exit: 2, Output: []byte("panic: id 1234567 at 0xc000012345\n\ngoroutine 1 [running]:\n")}, Crash, "panic: id N at ADDR"},
		{"method", Evidence{Exit: 2, Output: []byte("panic: x\n\ngoroutine 1 [running]:\nmain.(*T).Do(0x1)\n\t/x/main.go:1\n")}, Crash, "panic: x in main.(*T).Do"},
		{"race detector", Evidence{Exit: 66, Output: []byte("==================\nWARNING: DATA RACE\nWrite at 0x1\n")}, Crash, "WARNING: DATA RACE"},
		{"test", Evidence{Exit: 1, Output: []byte("--- FAIL: TestX\nFAIL\n")}, Crash, "--- FAIL: TestX"},
		{"status", Evidence{Exit: 3, Output: []byte("no words")}, Crash, "exit status 3"},
		{"signal", Evidence{Exit: -1, Signal: 9}, Crash, "killed by signal 9"},
		{"late", Evidence{Exit: 2, TimedOut: true, Output: []byte("SIGQUIT: quit\n")}, Hang, "no end within the time limit"},
		{"escape codes", Evidence{Exit: 2, Output: []byte("panic: \x1b[31mred\x07\n\ngoroutine 1 [running]:\n")}, Crash, "panic: ?[31mred?"},
	} {
		r := Classify(c.e)
		if r.Outcome != c.outcome || r.Title != c.title {
			t.Errorf("%s: %s %q, want %s %q", c.name, r.Outcome, r.Title, c.outcome, c.title)
		}
	}
}

// What ended the program is its own crash, not the one that it has printed before.
func TestDumpsOfTwoProcesses(t *testing.T) {
	const (
		child  = "fatal error: concurrent map writes\n\ngoroutine 7 [running]:\nmain.write()\n\t/x/main.go:3 +0x4\n\ngoroutine 1 [semacquire]:\nmain.main()\n\t/x/main.go:9 +0x4\n\ngoroutine 2 [force gc (idle)]:\nruntime.gopark()\n\t/r/proc.go:1 +0x1\n"
		parent = "panic: own\n\ngoroutine 1 [running]:\nmain.own()\n\t/x/main.go:5 +0x4\n\ngoroutine 2 [force gc (idle)]:\nruntime.gopark()\n\t/r/proc.go:1 +0x1\n"
		// one process whose goroutine 1 ran when goroutine 7 crashed
		first  = "fatal error: concurrent map writes\n\ngoroutine 7 [running]:\nmain.write()\n\t/x/main.go:3 +0x4\n\ngoroutine 1 [running]:\n\tgoroutine running on other thread; stack unavailable\n"
		second = "panic: own\n\ngoroutine 1 [running]:\nmain.own()\n\t/x/main.go:5 +0x4\n"
	)
	for name, c := range map[string]struct {
		out   string
		exit  int
		title string
	}{
		"child's, then own":      {child + parent, 2, "panic: own in main.own"},
		"words between":          {child + "exit status 2\n" + parent, 2, "panic: own in main.own"},
		"own within a line":      {child + "100 % panic: own" + strings.TrimPrefix(parent, "panic: own"), 2, "panic: own in main.own"},
		"child's with SIGQUIT":   {child + "\n-----\n\n" + parent, 2, "panic: own in main.own"},
		"two children's":         {child + child + parent, 2, "panic: own in main.own"},
		"nested":                 {child + strings.Replace(parent, "own\n", "own [recovered]\n\tpanic: again\n", 1), 2, "panic: own in main.own"},
		"prefixed":               {"[child] " + strings.ReplaceAll(child, "\n", "\n[child] ") + "\n" + parent, 2, "panic: own in main.own"},
		"own, then exit":         {parent + child, 2, "fatal error: concurrent map writes in main.write"},
		"two threads":            {first + second, 2, "fatal error: concurrent map writes in main.write"},
		"two threads throw":      {first + strings.Replace(second, "panic: own", "fatal error: concurrent map writes", 1), 2, "fatal error: concurrent map writes in main.write"},
		"two processes throw":    {child + strings.Replace(parent, "panic: own", "fatal error: concurrent map writes", 1), 2, "fatal error: concurrent map writes in main.own"},
		"exit after a child's":   {child, 1, "exit status 1 (printed: fatal error: concurrent map writes in main.write)"},
		"killed after a child's": {child, -9, "killed by signal 9 (printed: fatal error: concurrent map writes in main.write)"},
		"aborted":                {child + parent, -6, "panic: own in main.own"},
		"failed test":            {child + "--- FAIL: TestX (0.01s)\nFAIL\n", 1, "--- FAIL: TestX"},
		"race, then a panic":     {"WARNING: DATA RACE\nWrite at 0x1\n" + child + parent, 2, "panic: own in main.own"},
	} {
		e := Evidence{Exit: c.exit, Output: []byte(c.out)}
		if c.exit < 0 {
			e.Exit, e.Signal = -1, -c.exit
		}
		if r := Classify(e); r.Title != c.title {
			t.Errorf("%s: %q, want %q", name, r.Title, c.title)
		}
	}
	lost := "runtime: g 7: unexpected return pc for main.big called from 0xffff\n"
	if r := Classify(Evidence{Exit: 2, Output: []byte(lost + child + parent)}); r.BadReturn != nil {
		t.Errorf("the child's lost unwinder is the program's: %+v", r.BadReturn)
	}
	if r := Classify(Evidence{Exit: 2, Output: []byte(child + lost + parent)}); r.BadReturn == nil {
		t.Error("the program's own lost unwinder is missing")
	}
}

// Output of half a megabyte must not take for ever, whatever is in it.
func TestManyHeadlines(t *testing.T) {
	for _, unit := range []string{"x panic: y\n\n", "panic: y\n", "fatal error: y\n\ngoroutine 1 [running]:\nmain.f()\n\t/x/m.go:1\n", "x panic: y\n\ngoroutine 1 [running]:\nmain.f()\n\t/x/m.go:1\n"} {
		start := time.Now()
		Classify(Evidence{Exit: 2, Output: []byte(strings.Repeat(unit, 512<<10/len(unit)))})
		if took := time.Since(start); took > 5*time.Second {
			t.Errorf("%q: %v", unit, took)
		}
	}
}

func TestFrames(t *testing.T) {
	r := Classify(Evidence{Exit: 2, Output: []byte(mapWrites)})
	if len(r.Frames) != 4 || r.Frames[2] != (Frame{"main.writeFixed", "ghost-map/main.go", 78}) {
		t.Errorf("frames: %+v", r.Frames)
	}
}

func TestPanicTitle(t *testing.T) {
	console := "[    1.0] Unable to handle kernel NULL pointer dereference at virtual address 0000000000000010\r\n[    1.2] Kernel panic - not syncing: Oops: Fatal exception\r\n"
	if got := PanicTitle([]byte(console)); got != "kernel panic: Oops: Fatal exception: Unable to handle kernel NULL pointer dereference at virtual address N" {
		t.Errorf("got %q", got)
	}
}

func FuzzClassify(f *testing.F) {
	f.Add([]byte(mapWrites))
	f.Add([]byte("\ngoroutine \npanic: \x00"))
	files, _ := filepath.Glob("testdata/*.txt")
	for _, file := range files {
		out, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(out)
	}
	f.Fuzz(func(t *testing.T, out []byte) {
		r := Classify(Evidence{Exit: 2, Output: out})
		if r.Outcome != Crash || r.Title == "" {
			t.Errorf("exit status 2 became %+v", r)
		}
		shown := []string{r.Title}
		for _, f := range r.Frames {
			shown = append(shown, f.Func, f.File)
		}
		if r.Fault != nil {
			shown = append(shown, r.Fault.Signal, r.Fault.Addr, r.Fault.PC)
		}
		if r.BadReturn != nil {
			shown = append(shown, r.BadReturn.Func, r.BadReturn.CalledFrom)
		}
		for _, s := range shown {
			if strings.ContainsFunc(s, func(c rune) bool { return !unicode.IsPrint(c) }) {
				t.Errorf("%q can act on a terminal", s)
			}
		}
		if len(r.Title) > 500 {
			t.Errorf("a title of %d bytes", len(r.Title))
		}
	})
}
