package report

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"ghostlab/images"
	"ghostlab/lab/crash"
	"ghostlab/lab/hunt"
	"ghostlab/lab/journal"
	"ghostlab/lab/matrix"
)

// made writes a run with these trials and returns its folder.
func made(t testing.TB, run journal.Run, trials func(add func(journal.Trial, string))) string {
	t.Helper()
	f, err := journal.Create(t.TempDir(), run)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	trials(func(tr journal.Trial, console string) {
		n++
		tr.N = n
		if err := f.Append(tr, journal.Evidence{"console.log": []byte(console)}); err != nil {
			t.Fatal(err)
		}
	})
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return f.Dir()
}

// plan is a run of a matrix with these axes.
func plan(trials int, axes ...matrix.Axis) journal.Run {
	m := matrix.Matrix{Trials: trials, Axes: axes}
	return journal.Run{
		ID: "20261124-020841-ghost-map", Started: time.Date(2026, 11, 24, 2, 8, 41, 0, time.UTC), Lab: "v0.1.0",
		Scenario: "ghost-map", Matrix: "m.yaml", Trials: trials, Seed: 1, Timeout: 20 * time.Second,
		Engine: matrix.Parallel, Isolation: matrix.Fork, Axes: axes, Cells: m.Cells(), Commands: make([]journal.Command, len(m.Cells())),
		Kernels: []journal.Kernel{{Asked: "5.15", Ran: "6.1", Release: "6.1.192", StandIn: true, Why: "no route", Source: "package linux-source-6.1"}},
		Go:      "1.21.6", QEMU: "7.2.22", Host: journal.Host{OS: "linux", Arch: "amd64", CPU: "EPYC", Cores: 2},
		Guest:  journal.Guest{CPU: "cortex-a57", VCPUs: 2, Memory: 512, Accelerator: "tcg"},
		Images: map[string]images.Manifest{"5.15 go1.21.6": {Kernel: "eb57e5e082b2c58236b9955b7bcb29c2", Initramfs: "a90ab0caeb00e3939c31c874", Program: "aa56d52b6ac1286a813a87d2"}},
	}
}

const mapWrites = `fatal error: concurrent map writes

goroutine 6 [running]:
main.write(0x4000072150, 0x0)
	ghost-map/main.go:86 +0x78
`

// bigRun is the matrix of 32 cells, 10 trials each: all crash with two threads,
// but not half of those without populate, and some of these hang.
func bigRun(t testing.TB) string {
	run := plan(10,
		matrix.Axis{Name: "gomaxprocs", Values: []string{"1", "2"}},
		matrix.Axis{Name: "mmap_align", Values: []string{"none", "4KiB", "2MiB", "huge"}},
		matrix.Axis{Name: "populate", Values: []string{"false", "true"}},
		matrix.Axis{Name: "key_space", Values: []string{"fixed", "growing"}})
	dir := made(t, run, func(add func(journal.Trial, string)) {
		for _, c := range run.Cells {
			for i := range 10 {
				tr := journal.Trial{Cell: c.Index, Outcome: crash.Pass, Duration: 30 * time.Millisecond}
				console := ""
				switch {
				case c.Axes["gomaxprocs"] == "2" && (c.Axes["populate"] == "true" || i < 5):
					tr.Outcome, tr.Title, console = crash.Crash, "fatal error: concurrent map writes in main.write", mapWrites
				case c.Axes["gomaxprocs"] == "2" && i == 5:
					tr.Outcome, tr.Title = crash.Hang, "no end within the time limit"
				case c.Axes["mmap_align"] == "huge" && c.Axes["key_space"] == "growing" && i < 2:
					tr.Outcome, tr.Title = crash.Crash, "SIGSEGV in runtime.mallocgc"
				}
				add(tr, console)
			}
		}
	})
	explanation := `{"signature": "fatal error: concurrent map writes", "instructions_apart": 39484, "time_apart_ns": 315872,
		"victim": {"goroutine": 18, "did": "found the mark", "stack": [{"func": "runtime.fatal", "file": "runtime/panic.go", "line": 1089}]},
		"culprit": {"goroutine": 19, "did": "set the mark", "stack": [{"func": "main.write<script>", "file": "ghost-map/main.go", "line": 78}]},
		"words": [{"value": "0x4", "address": "0x400000c020", "name": "m<b>.len", "read": {"func": "main.read"}}],
		"schedule": [{"goroutine": 19, "instructions": 22, "why": "a page fault", "stopped": {"func": "main.write<script>", "file": "ghost-map/main.go", "line": 78}},
			{"goroutine": 18, "instructions": 4499, "stopped": {}}]}`
	if err := journal.KeepExplanation(dir, explained161, []byte(explanation)); err != nil {
		t.Fatal(err)
	}
	return dir
}

// explained161 is the first trial of bigRun that has a map's signature.
const explained161 = 161

// huntRun is a hunt that found something.
func huntRun(t testing.TB) string {
	run := plan(100)
	run.Search, run.Engine, run.Matrix = matrix.Hunt, matrix.Deterministic, ""
	run.Hunts = [][]hunt.Tally{{{Arm: hunt.Arm{VCPUs: 1, Shift: 6}, Trials: 3, Found: 1, Spent: 1500 * time.Millisecond}, {Arm: hunt.Arm{VCPUs: 2, Shift: 3}}}}
	return made(t, run, func(add func(journal.Trial, string)) {
		add(journal.Trial{Outcome: crash.Pass, Digest: "a"}, "")
		add(journal.Trial{Outcome: crash.Crash, Title: "SIGSEGV in runtime.(*unwinder).next", Digest: "b"}, "SIGSEGV: segmentation violation\n")
	})
}

// pageOf writes a run's HTML and returns its path.
func pageOf(t testing.TB, dir string) string {
	t.Helper()
	s, err := Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "report.html")
	if err := s.WriteFile(HTML, file); err != nil {
		t.Fatal(fmt.Errorf("%s: %w", dir, err))
	}
	return file
}
