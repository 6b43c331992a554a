package bench

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"ghostlab/lab/crash"
	"ghostlab/lab/journal"
	"ghostlab/lab/matrix"
	"ghostlab/lab/report"
)

// BenchmarkJournal compares a summary of many trials with a loop over the lines
// of trials.jsonl that decodes them by encoding/json.
func BenchmarkJournal(b *testing.B) {
	dir := manyTrials(b, 200_000)
	var loop, lab time.Duration
	for range rounds {
		start := time.Now()
		crashes := loopOver(b, filepath.Join(dir, "trials.jsonl"))
		loop += time.Since(start)

		start = time.Now()
		s, err := report.Read(dir)
		lab += time.Since(start)
		if err != nil || s.Cells[0].Crash != crashes || crashes == 0 {
			b.Fatalf("%d crashes in a loop: %+v, %v", crashes, s, err)
		}
	}
	ratio(b, "journal", lab.Seconds()/loop.Seconds(), 0.3)
}

// manyTrials writes a run of one cell.
func manyTrials(b *testing.B, n int) string {
	b.Helper()
	f, err := journal.Create(b.TempDir(), journal.Run{
		ID: "many", Scenario: "many", Trials: n, Cells: []matrix.Cell{{}},
		Kernels: []journal.Kernel{{Asked: "5.15", Ran: "5.15"}}, Commands: []journal.Command{{}},
	})
	if err != nil {
		b.Fatal(err)
	}
	for i := 1; i <= n; i++ {
		t := journal.Trial{
			N: i, VM: i, Position: 1, Outcome: crash.Pass, Duration: 30 * time.Millisecond, Ended: time.Now().UTC(),
			Schedule: matrix.Schedule{Seed: 8668448768208605},
			Template: "3ed45d4bbd0c735f6cffe8de72cc9e1f0b672199117103ba93cdf755e40c8113",
		}
		if i%3 == 0 {
			t.Outcome, t.Title, t.Exit = crash.Crash, "fatal error: concurrent map writes in main.writeFixed", 2
		}
		if err := f.Append(t, nil); err != nil {
			b.Fatal(err)
		}
	}
	if err := f.Close(); err != nil {
		b.Fatal(err)
	}
	return f.Dir()
}

// loopOver counts crashes as one would in a few lines.
func loopOver(b *testing.B, path string) (crashes int) {
	b.Helper()
	file, err := os.Open(path)
	if err != nil {
		b.Fatal(err)
	}
	defer file.Close()
	for in := bufio.NewScanner(file); in.Scan(); {
		var t journal.Trial
		if err := json.Unmarshal(bytes.TrimSpace(in.Bytes()), &t); err != nil {
			b.Fatal(err)
		}
		if t.Outcome == crash.Crash {
			crashes++
		}
	}
	return crashes
}
