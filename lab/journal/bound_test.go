package journal

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ghostlab/lab/crash"
)

// What nobody's lab has written costs no more time and memory than what one has.
func TestRunsAreBounded(t *testing.T) {
	deep := strings.Repeat(`{"a":`, 5_000_000)
	for _, c := range []struct{ file, text, want string }{
		{runFile, strings.Repeat("[", 5_000_000), "exceeded max depth"},
		{runFile, strings.Repeat(" ", mostRun+1), "want at most 131072 KiB"},
		{trialsFile, deep[:longestLine-1] + "\n", "exceeded max depth"},
		{trialsFile, `{"trial":1,"outcome":"pass","schedule":` + deep[:100_000] + "\n", "exceeded max depth"},
		{trialsFile, strings.Repeat("x", 48<<20) + "\n", ":1: the line is longer than 1 MiB"},
		{runFile, `{"sessions":[` + strings.Repeat("{},", 2_000_000) + `{}]}`, "2000002 objects"},
		{runFile, `{"commands":[{"argv":[` + strings.Repeat(`"",`, 6_000_000) + `""]}]}`, "6000000 commas"},
		{runFile, `{"expect":[` + strings.Repeat(`{"outcome":"crash","claim":"never"},`, mostClaims) + `{}]}`, "want at most 10000 of each, got 10001"},
		{runFile, `{"axes":[{"name":"env.X\u001b]0;x\u0007"}]}`, "want a name without control characters"},
		{trialsFile, strings.Repeat("x", mostTorn+8*longestLine), ":1: the line is longer than 1 MiB"},
		{trialsFile, strings.Repeat("x", 48<<20), ""}, // what a killed lab could have left
	} {
		dir := write(t, t.TempDir(), "r", time.Now(), 1).Dir()
		if err := os.WriteFile(filepath.Join(dir, c.file), []byte(c.text), 0o644); err != nil {
			t.Fatal(err)
		}
		begun := time.Now()
		_, err := Open(dir, func(Trial) {})
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s of %.20q: got %v, want %q", c.file, c.text, err, c.want)
		}
		t.Logf("%s of %.20q: %v", c.file, c.text, time.Since(begun))
	}
}

// A long title with brackets is a trial's all the same.
func TestBracketsInATitle(t *testing.T) {
	title := strings.Repeat("[{", 500)
	f, err := Create(t.TempDir(), planned(Run{ID: "r", Trials: 1}, 1))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(f.Append(Trial{N: 1, Outcome: crash.Crash, Title: title}, nil), f.Close()); err != nil {
		t.Fatal(err)
	}
	got := ""
	if _, err := Open(f.Dir(), func(t Trial) { got = t.Title }); err != nil || got != title {
		t.Errorf("got %q, %v", got, err)
	}
}

// A run that cannot be read is named and does not hide the others.
func TestListSkipsUnreadableRuns(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "good", time.Now(), 1)
	bad := write(t, dir, "bad", time.Now().Add(time.Hour), 1).Dir()
	if err := errors.Join(
		os.WriteFile(filepath.Join(bad, runFile), bytes.Repeat([]byte("["), 5_000_000), 0o644),
		os.Mkdir(filepath.Join(dir, "no-run"), 0o755), os.WriteFile(filepath.Join(dir, "a-file"), nil, 0o644),
	); err != nil {
		t.Fatal(err)
	}
	var skipped []error
	got, err := Find(dir, "", func(err error) { skipped = append(skipped, err) })
	if err != nil || got != filepath.Join(dir, "good") {
		t.Errorf("the newest is %q, %v", got, err)
	}
	if len(skipped) != 1 || !strings.HasPrefix(skipped[0].Error(), filepath.Join(bad, runFile)+": ") {
		t.Errorf("skipped: %v", skipped)
	}
}

// Of failures that are all the same the first are kept, and then ever fewer.
func TestKeeper(t *testing.T) {
	k := newKeeper(50)
	kept := func(n int, trial Trial) int {
		all := 0
		for range n {
			if k.keeps(trial) {
				all++
			}
		}
		return all
	}
	failing := Trial{Outcome: crash.Crash, Title: "a"}
	if got := kept(50, failing); got != 50 {
		t.Errorf("%d of the first 50", got)
	}
	if got := kept(79_950, failing); got < 8 || got > 12 {
		t.Errorf("%d of the next 79,950", got)
	}
	if got := kept(10, Trial{Outcome: crash.Crash, Title: "b"}); got != 10 {
		t.Errorf("%d of another signature", got)
	}
	if got := kept(10, Trial{Cell: 1, Outcome: crash.Crash, Title: "a"}); got != 10 {
		t.Errorf("%d in another cell", got)
	}
	if got := kept(100, Trial{Outcome: crash.Pass}); got != 100 {
		t.Errorf("%d passes: what is kept of them is decided elsewhere", got)
	}
	all := 0
	for i := range 100_000 {
		if k.keeps(Trial{Cell: 2, Outcome: crash.Crash, Title: strings.Repeat("x", i%1000) + string(rune('a'+i/1000))}) {
			all++
		}
	}
	if most := (mostKinds + 1) * 200; all > most {
		t.Errorf("%d of a program that fails differently each time, want at most %d", all, most)
	}
	k = newKeeper(0)
	if got := kept(500, failing); got != 500 {
		t.Errorf("zero keeps %d of 500", got)
	}
}
