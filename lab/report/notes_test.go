package report

import (
	"bytes"
	"strings"
	"testing"

	"ghostlab/lab/crash"
	"ghostlab/lab/journal"
	"ghostlab/lab/matrix"
)

// What is not kept and what was not checked stands in each form that people read.
func TestReportsSayWhatIsLeftOut(t *testing.T) {
	run := plan(9)
	run.Engine, run.Collect = matrix.Deterministic, matrix.Collect{Evidence: []string{matrix.Console}, Failures: 1}
	run.Sessions = []journal.Session{{FirstVM: 1, Verified: true}, {FirstVM: 4}}
	dir := made(t, run, func(add func(journal.Trial, string)) {
		for n := 1; n <= 6; n++ {
			add(journal.Trial{Outcome: crash.Crash, Title: "x", Digest: "d", VM: n, Unkept: n < 3}, "")
		}
	})
	s, err := Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	if s.Unkept != 2 || s.Unchecked != 3 {
		t.Errorf("unkept %d of 2, unchecked %d of 3", s.Unkept, s.Unchecked)
	}
	// Trials whose evidence is kept come first.
	if first := s.Signatures[0].Trials; len(first) != 6 || first[0].N != 3 || first[4].N != 1 {
		t.Errorf("trials %+v", first)
	}
	for name, write := range map[string]func(*bytes.Buffer) error{
		"terminal": func(b *bytes.Buffer) error { return s.Terminal(b) },
		"html":     func(b *bytes.Buffer) error { return HTML.Write(s, b) },
		"markdown": func(b *bytes.Buffer) error {
			format, err := FormatOf("markdown")
			if err != nil {
				return err
			}
			return format.Write(s, b)
		},
	} {
		var text bytes.Buffer
		if err := write(&text); err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{"none of 3 deterministic trials", "of 2 failing trials there is a record but no evidence"} {
			if !strings.Contains(strings.Join(strings.Fields(text.String()), " "), want) {
				t.Errorf("%s lacks %q", name, want)
			}
		}
	}
}
