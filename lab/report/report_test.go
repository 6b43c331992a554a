package report

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"ghostlab/lab/crash"
	"ghostlab/lab/journal"
	"ghostlab/lab/matrix"
)

var update = flag.Bool("update", false, "write the golden files")

// Each folder of testdata is a run with what is to be printed of it. Its
// trials have every outcome, two signatures of one count, and a torn last line.
func TestForms(t *testing.T) {
	for _, run := range []string{"mixed", "nothing-ran"} {
		dir := filepath.Join("testdata", run)
		s, err := Read(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range Formats {
			if f.Name == "html" {
				continue // a browser looks at it
			}
			var text bytes.Buffer
			if err := f.Write(s, &text); err != nil {
				t.Fatal(err)
			}
			golden(t, filepath.Join(dir, f.Name+".golden"), text.Bytes())
		}
	}
}

// longNumber has digits that depend on the processor's rounding.
var longNumber = regexp.MustCompile(`[0-9]\.[0-9]{7,}`)

func golden(t *testing.T, file string, text []byte) {
	t.Helper()
	got := longNumber.ReplaceAllFunc(text, func(n []byte) []byte { return n[:8] })
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	wanted, lines := strings.Split(string(want), "\n"), strings.Split(string(got), "\n")
	for i := range max(len(wanted), len(lines)) {
		switch {
		case i >= len(wanted):
			t.Fatalf("%s:%d: ends, got %q", file, i+1, lines[i])
		case i >= len(lines):
			t.Fatalf("%s:%d: got the end, want %q", file, i+1, wanted[i])
		case lines[i] != wanted[i]:
			t.Fatalf("%s:%d: got %q, want %q", file, i+1, lines[i], wanted[i])
		}
	}
}

// What counts as a result is the ground of every rate.
func TestInfraIsInNoRate(t *testing.T) {
	s, err := Read("testdata/mixed")
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []struct {
		Cell
		Rate float64
	}{
		{Cell{N: 2, Pass: 2, Infra: 1}, 0},
		{Cell{N: 1, Crash: 1}, 1},
		{Cell{N: 6, Pass: 1, Crash: 3, Hang: 1, GuestPanic: 1}, 0.5},
		{Cell{N: 0, Infra: 1}, 0},
	} {
		got := s.Cells[i]
		rate, low, high := *got.Rate, *got.Low, *got.High
		if got.N != want.N || got.Pass != want.Pass || got.Crash != want.Crash || got.Hang != want.Hang ||
			got.GuestPanic != want.GuestPanic || got.Infra != want.Infra || rate != want.Rate {
			t.Errorf("cell %d: got %+v, want %+v", i, got, want)
		}
		if low > rate || high < rate || got.N == 0 && (low != 0 || high != 1) {
			t.Errorf("cell %d: rate %v in [%v, %v]", i, rate, low, high)
		}
	}
	if results, infra := s.Results(); results != 9 || infra != 2 {
		t.Errorf("%d results and %d infra, want 9 and 2", results, infra)
	}
}

// Two series that one stand-in serves are one kernel, which what is said of their
// axis ends with.
func TestSameKernels(t *testing.T) {
	run := plan(10, matrix.Axis{Name: matrix.AxisKernel, Values: []string{"5.15", "6.1"}})
	run.Kernels[0].SameAs = []string{"6.1"}
	run.Kernels = append(run.Kernels, journal.Kernel{Asked: "6.1", Ran: "6.1", Release: "6.1.192", SameAs: []string{"5.15"}})
	dir := made(t, run, func(add func(journal.Trial, string)) {
		for i := range 20 {
			add(journal.Trial{Cell: i % 2, Outcome: crash.Pass}, "")
		}
	})
	s, err := Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	want := "; 5.15 and 6.1 are one kernel here (6.1.192): between them there is only chance"
	if len(s.Effects) != 1 || !strings.HasSuffix(s.Effects[0].Sentence, want) || strings.Count(s.Effects[0].Sentence, "one kernel") != 1 {
		t.Errorf("want one effect that ends with %q, got %+v", want, s.Effects)
	}
}

func TestNoRun(t *testing.T) {
	var none *journal.NoRunError
	if _, err := Read(t.TempDir()); !errors.As(err, &none) {
		t.Errorf("got %v", err)
	}
}

// A table cut short must not pass for one.
func TestWriteErrorsComeOut(t *testing.T) {
	s, err := Read("testdata/mixed")
	if err != nil {
		t.Fatal(err)
	}
	full := errors.New("full")
	for _, f := range Formats {
		var whole bytes.Buffer
		if err := f.Write(s, &whole); err != nil {
			t.Fatal(err)
		}
		for _, room := range []int{0, 100, whole.Len() - 1} {
			if err := f.Write(s, &short{room: room, err: full}); !errors.Is(err, full) {
				t.Errorf("%s, room for %d of %d bytes: %v", f.Name, room, whole.Len(), err)
			}
		}
	}
}

// short is a writer with room for so many bytes.
type short struct {
	room int
	err  error
}

func (w *short) Write(b []byte) (int, error) {
	if w.room -= len(b); w.room < 0 {
		return 0, w.err
	}
	return len(b), nil
}
