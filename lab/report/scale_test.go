package report

import (
	"bytes"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"ghostlab/lab/crash"
	"ghostlab/lab/journal"
	"ghostlab/lab/matrix"
)

// A run with more of everything than a report shows: it stays small, and says
// how much it leaves out.
func TestLargeRun(t *testing.T) {
	values := func(n int) (v []string) {
		for i := range n {
			v = append(v, fmt.Sprint(i))
		}
		return v
	}
	run := plan(3, matrix.Axis{Name: "a", Values: values(60)}, matrix.Axis{Name: "b", Values: values(20)}, matrix.Axis{Name: "c", Values: values(2)})
	for i := range run.Cells {
		run.Expect = append(run.Expect, matrix.Expectation{
			Where:   matrix.Pattern{{Name: "a", Values: []string{run.Cells[i].Axes["a"]}}, {Name: "b", Values: []string{run.Cells[i].Axes["b"]}}, {Name: "c", Values: []string{run.Cells[i].Axes["c"]}}},
			Outcome: crash.Crash, Claim: matrix.Claim{Word: matrix.Never}})
	}
	title := strings.Repeat("long ", 40)
	dir := made(t, run, func(add func(journal.Trial, string)) {
		for i := range 3 * len(run.Cells) {
			add(journal.Trial{Cell: i / 3, Outcome: crash.Crash, Title: fmt.Sprint(title, i/2)}, "")
		}
	})
	began := time.Now()
	s, err := Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Signatures) != maxSignatures || s.Beyond != 7200-2*maxSignatures {
		t.Errorf("%d signatures, %d failures beyond", len(s.Signatures), s.Beyond)
	}
	for name, most := range map[string]int{"html": 3 << 20, "markdown": 65536} {
		f, err := FormatOf(name)
		if err != nil {
			t.Fatal(err)
		}
		var text bytes.Buffer
		if err := f.Write(s, &text); err != nil {
			t.Fatal(err)
		}
		if text.Len() > most {
			t.Errorf("%s has %d bytes", name, text.Len())
		}
		for _, want := range map[string][]string{
			"html":     {"1400 more cells are not shown", "and 1900 more", "and 950 more signatures", "and 1900 more cells"},
			"markdown": {"and 2250 more cells", "and 990 more signatures", "and 2390 more expectations"},
		}[name] {
			if !strings.Contains(text.String(), want) {
				t.Errorf("%s does not say %q", name, want)
			}
		}
	}
	if took := time.Since(began); took > 20*time.Second {
		t.Errorf("it took %v", took)
	}
}

// The memory of a summary does not grow with the trials.
func TestMemoryOfManyTrials(t *testing.T) {
	memory := func(trials int) uint64 {
		y := newTally()
		for i := range trials {
			y.add(journal.Trial{N: i + 1, Cell: i % 7, Outcome: crash.Crash, Title: fmt.Sprint("crash ", i%3000), Error: ""})
		}
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		runtime.KeepAlive(y)
		return m.HeapAlloc
	}
	memory(100)
	few, many := memory(50_000), memory(500_000)
	if many > few+few/2+1<<20 {
		t.Errorf("ten times the trials take %d KiB, not %d", many>>10, few>>10)
	}
}
