package explain

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"ghostlab/gdb/travel"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// example is an explanation with all that there may be.
func example() *Explanation {
	b, growing := uint64(5), true
	at := func(fn, file string, line int) travel.Frame { return travel.Frame{Func: fn, File: file, Line: line} }
	victim := &Side{Did: "found the mark of a writer that was not itself", At: 9_000_000}
	victim.ID = 7
	victim.Stack = []travel.Frame{at("runtime.fatal", "runtime/panic.go", 1089), at("main.write", "prog/main.go", 3), at("runtime.goexit", "runtime/asm_arm64.s", 1197)}
	victim.Created = at("main.main", "prog/main.go", 5)
	culprit := &Side{Did: "set the mark of a writer", At: 8_998_765}
	culprit.Stack = []travel.Frame{at("main.other", "gone.example/x@v1.0.0/x.go", 12)}
	culprit.Cut = "no frame"
	culprit.Created = at("runtime.newproc", generated, 1)
	return &Explanation{
		Trial: "run/17", Signature: "fatal error: concurrent map writes in main.write", Victim: victim, Culprit: culprit,
		Apart: 1_235, TimeApart: 79_040 * time.Nanosecond,
		Map: &Map{Address: "0x4000", Kind: "buckets", Count: 171, B: &b, Growing: &growing, Writing: true},
		Schedule: []Turn{
			{Goroutine: 6, Instructions: 5, Stopped: at("main.other", "x.go", 12), Why: travel.Interrupt},
			{Other: true, Instructions: 30},
			{Instructions: 200, Stopped: at("runtime.gogo", "runtime/asm_arm64.s", 138), Why: travel.Switch},
			{Goroutine: 7, Instructions: 1_000},
		},
		Words: []Word{
			{Value: "0x4", Address: "0x4010", Name: "m.items.len", Read: at("main.write", "prog/main.go", 3), Writer: culprit},
			{Value: "0x0", Address: "0x4020", Why: "nobody wrote it since the trial began", Read: at("main.write", "prog/main.go", 3)},
			{Value: "0x5", Why: "is a constant of the program's (`movz x0, #0x5`)", Read: at("main.write", "prog/main.go", 3)},
		},
		Notes: []string{"one", "two"},
	}
}

// stopped is an explanation of a program in which nothing goes on.
func stopped() *Explanation {
	at := func(fn, file string, line int) travel.Frame { return travel.Frame{Func: fn, File: file, Line: line} }
	e := &Explanation{Trial: "run/3", Signature: "fatal error: all goroutines are asleep - deadlock!"}
	w := Waiter{On: "sync.Mutex at 0x4000", Alike: 2}
	w.ID, w.Reason, w.Stack = 5, "sync.Mutex.Lock", []travel.Frame{at("sync.(*Mutex).Lock", "sync/mutex.go", 46), at("main.write", "prog/main.go", 3)}
	w.Holder = &Side{Did: "locked it"}
	w.Holder.ID, w.Holder.Stack = 6, []travel.Frame{at("main.main", "prog/main.go", 5)}
	alone := Waiter{}
	alone.ID, alone.Reason = 7, "select (no cases)"
	round := Waiter{Loop: "by `cbz x4`, where x4 was 0x1"}
	round.ID, round.Reason, round.Stack = 8, travel.Runnable, w.Holder.Stack
	maker := &Side{}
	maker.ID, maker.Stack = 1, []travel.Frame{at("runtime.mallocgc", "runtime/malloc.go", 1053)}
	round.Words = []Word{{Value: "0x1", Address: "0x4010", Name: "q.n", Writer: w.Holder}, {Value: "0x0", Address: "0x4018", Writer: maker}}
	e.Waiting = []Waiter{round, w, alone}
	return e
}

func TestText(t *testing.T) {
	dir := t.TempDir()
	source := "package main\n\nfunc write(m map[int]int) { m[1] = 2 } // here\n\nfunc main() {}\n"
	if err := os.WriteFile(filepath.Join(dir, "main.go"), []byte(source), 0o644); err != nil {
		t.Fatal(err)
	}
	for name, e := range map[string]*Explanation{"text": example(), "waiting": stopped()} {
		var got bytes.Buffer
		if err := e.Text(&got, Sources{Folders: map[string]string{"prog": dir}}); err != nil {
			t.Fatal(err)
		}
		golden := filepath.Join("testdata", name+".golden")
		if *update {
			if err := os.WriteFile(golden, got.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil || !bytes.Equal(got.Bytes(), want) {
			t.Errorf("got\n%s\nwant\n%s (%v)", got.Bytes(), want, err)
		}
	}
}

// A file that has changed since the program was compiled is not shown: its lines
// are others.
func TestChangedSourcesAreNotShown(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "main.go"), []byte("package main\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	s := Sources{Folders: map[string]string{"prog": dir}}
	if lines := s.Excerpt("prog/main.go", 1); len(lines) != 1 || lines[0].Text != "package main" {
		t.Errorf("%+v", lines)
	}
	if lines := s.Excerpt("prog/main.go", 2); lines != nil {
		t.Errorf("a line that is not there: %+v", lines)
	}
	s.Compiled = time.Now().Add(-time.Hour)
	if lines := s.Excerpt("prog/main.go", 1); lines != nil {
		t.Errorf("%+v", lines)
	}
}

// A //line comment's file is one from the package's own folder.
func TestSourcesOfGeneratedCode(t *testing.T) {
	dir, other := t.TempDir(), t.TempDir()
	s := Sources{Folders: map[string]string{"prog/a": dir, "prog/b": other}}
	for _, d := range []string{dir, other} {
		if err := os.WriteFile(filepath.Join(d, "grammar.y"), []byte("one\ntwo\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		lines := s.Excerpt("grammar.y", 2)
		if d == dir && (len(lines) != 2 || lines[1].Text != "two") || d == other && lines != nil {
			t.Errorf("with %s: %+v", d, lines)
		}
	}
}

func TestSourcePaths(t *testing.T) {
	s := Sources{
		Folders: map[string]string{
			"example.com/prog": "/src/prog", "example.com/prog/a": "/src/prog/a", "plain/q": "/src/q", "runtime": "/go/src/runtime",
			"github.com/BurntSushi/toml@v1": "/mod/github.com/!burnt!sushi/toml@v1",
		},
		Standard: map[string]bool{"runtime": true},
	}
	for file, want := range map[string]string{
		"example.com/prog/a/b.go":            "/src/prog/a/b.go",
		"runtime/map.go":                     "/go/src/runtime/map.go",
		"github.com/BurntSushi/toml@v1/x.go": "/mod/github.com/!burnt!sushi/toml@v1/x.go",
		"/abs/cgo.go":                        "/abs/cgo.go",
		"/_/example.com/prog/a/c.c":          "/src/prog/a/c.c",
		"example.com/prog/made/from.y":       "/src/prog/made/from.y",
		"plain/q/q.go":                       "/src/q/q.go",
		"gone.example/x/x.go":                "",
	} {
		if got := s.path(file); got != want {
			t.Errorf("%s is %s, want %s", file, got, want)
		}
	}
	for file, want := range map[string]bool{"runtime/map.go": true, "sync/pool.go": true, "plain/q/q.go": false, "example.com/prog/a.go": false, "/abs/a.go": false, "github.com/x/y@v1/z.go": false} {
		if s.standard(file) != want {
			t.Errorf("%s: standard is %v", file, !want)
		}
	}
}

// The form is what other programs read.
func TestJSON(t *testing.T) {
	text, err := json.Marshal(example())
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Signature       string
		Victim, Culprit struct {
			Goroutine int
			Stack     []struct {
				Func, File string
				Line       int
			}
		}
		Apart int `json:"instructions_apart"`
		Map   struct {
			Count   int
			B       int
			Growing bool
		}
	}
	if err := json.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	if doc.Victim.Goroutine != 7 || doc.Victim.Stack[1].Func != "main.write" || doc.Victim.Stack[1].Line != 3 || doc.Culprit.Stack[0].File == "" ||
		doc.Apart != 1235 || doc.Map.Count != 171 || doc.Map.B != 5 || !doc.Map.Growing || doc.Signature == "" {
		t.Errorf("%s", text)
	}
}
