package runner

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"ghostlab/images"
	"ghostlab/lab/crash"
	"ghostlab/lab/journal"
	"ghostlab/lab/labtest"
	"ghostlab/lab/matrix"
	"ghostlab/lab/store"
	"ghostlab/lab/vm"
	"ghostlab/scenarios"
)

// plan runs the misbehaving program over an axis of ways to end.
func plan(t *testing.T, isolation string, trials int, how ...string) Job {
	t.Helper()
	text := fmt.Sprintf("scenario: misbehave\ntrials: %d\nisolation: %s\naxes:\n  how: [%s]\n", trials, isolation, strings.Join(how, ", "))
	m, err := matrix.Parse("test.yaml", []byte(text), matrix.Options{Find: scenarios.In("testdata")})
	if err != nil {
		t.Fatal(err)
	}
	cells := m.Cells()
	img := labtest.Image(t, m.Scenario.ReproDir())
	return Job{
		Matrix: m, Cells: cells, Commands: Commands(m.Scenario, cells), Go: labtest.Go, Folder: folder(t, m),
		Image:   map[string]*images.Image{images.Name("", labtest.Go): img},
		Machine: vm.Config{QEMU: "qemu-system-aarch64", CPU: "cortex-a57", VCPUs: 2, Memory: 512},
		Store:   labtest.Store(t),
		Notice:  func(text string) { t.Log(text) },
	}
}

func folder(t *testing.T, m *matrix.Matrix) *journal.Folder {
	t.Helper()
	f, err := journal.Create(t.TempDir(), recorded(m))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// recorded is the run of a matrix.
func recorded(m *matrix.Matrix) journal.Run {
	return journal.Run{ID: "test", Cells: m.Cells(), Axes: m.Axes, Trials: m.Trials, Commands: Commands(m.Scenario, m.Cells()), Kernels: make([]journal.Kernel, 1), Sessions: []journal.Session{{FirstVM: 1}}}
}

// results reads the journal by way to end.
func results(t *testing.T, job Job) map[string][]journal.Trial {
	t.Helper()
	by := map[string][]journal.Trial{}
	_, err := journal.Open(job.Folder.Dir(), func(tr journal.Trial) {
		how := job.Cells[tr.Cell].Axes["how"]
		by[how] = append(by[how], tr)
	})
	if err != nil {
		t.Fatal(err)
	}
	return by
}

func TestEveryEndHasItsOutcome(t *testing.T) {
	want := map[string]struct {
		outcome crash.Outcome
		title   string
	}{
		"pass":         {crash.Pass, ""},
		"exit":         {crash.Crash, "exit status 7"},
		"panic":        {crash.Crash, "panic: told to in main.main"},
		"segv":         {crash.Crash, "panic: runtime error: invalid memory address or nil pointer dereference in main.main"},
		"kill":         {crash.Crash, "killed by signal 9"},
		"hang":         {crash.Hang, "no end within the time limit"},
		"flood":        {crash.Crash, "exit status 1"},
		"fork":         {crash.Pass, ""},
		"forge":        {crash.Pass, ""},
		"poweroff":     {crash.GuestPanic, "the program switched the guest off"},
		"reboot":       {crash.GuestPanic, "the program restarted the guest"},
		"kernel-panic": {crash.GuestPanic, "kernel panic: sysrq triggered crash"},
		"litter":       {crash.Pass, ""},
	}
	var how []string
	for h := range want {
		how = append(how, h)
	}
	const trials = 2
	job := plan(t, "process", trials, how...)
	if err := Run(t.Context(), job); err != nil {
		t.Fatal(err)
	}
	got := results(t, job)
	for h, w := range want {
		if len(got[h]) != trials {
			t.Errorf("%s: %d trials recorded, want %d", h, len(got[h]), trials)
		}
		for _, tr := range got[h] {
			if tr.Outcome != w.outcome || tr.Title != w.title {
				t.Errorf("%s: %s %q, want %s %q", h, tr.Outcome, tr.Title, w.outcome, w.title)
			}
		}
	}
	flood := got["flood"][0]
	log, err := os.ReadFile(filepath.Join(job.Folder.Dir(), "trials", strconv.Itoa(flood.N), "console.log"))
	if err != nil || !bytes.Contains(log, []byte("after the flood")) || !bytes.Contains(log, []byte("bytes of output are not kept")) || len(log) > 1<<20 {
		t.Errorf("flood: the log of %d bytes lacks its end or the gap (%v)", len(log), err)
	}
	hang := got["hang"][0]
	log, err = os.ReadFile(filepath.Join(job.Folder.Dir(), "trials", strconv.Itoa(hang.N), "console.log"))
	if err != nil || !bytes.Contains(log, []byte("goroutine 1 [sleep]")) {
		t.Errorf("hang: the log has no goroutines (%v):\n%s", err, log)
	}
	noGuestLeft(t)
}

func TestBootIsolationGivesEachTrialItsGuest(t *testing.T) {
	job := plan(t, "boot", 2, "litter", "panic")
	if err := Run(t.Context(), job); err != nil {
		t.Fatal(err)
	}
	guests := map[int]bool{}
	for how, trs := range results(t, job) {
		for _, tr := range trs {
			guests[tr.VM] = true
			if want := map[string]crash.Outcome{"litter": crash.Pass, "panic": crash.Crash}[how]; tr.Outcome != want {
				t.Errorf("%s: %s", how, tr.Outcome)
			}
		}
	}
	if len(guests) != 4 {
		t.Errorf("4 trials in %d guests", len(guests))
	}
}

// A QEMU that dies, or that the host ends, is no result: its trials run again in
// another.
func TestKilledQEMUIsInfrastructure(t *testing.T) {
	for signal, said := range map[syscall.Signal]string{syscall.SIGKILL: "signal: killed", syscall.SIGTERM: "host-signal"} {
		job := plan(t, "process", 20, "pass")
		killed := false
		var troubles []string
		job.Notice = func(text string) { troubles = append(troubles, text) }
		job.Trial = func(tr journal.Trial) {
			if !killed && tr.N > 0 {
				killed = true
				for _, pid := range guests(t) {
					syscall.Kill(pid, signal)
				}
			}
		}
		if err := Run(t.Context(), job); err != nil {
			t.Fatal(err)
		}
		got := results(t, job)["pass"]
		if len(got) != 20 {
			t.Errorf("%v: %d trials recorded, want 20", signal, len(got))
		}
		for _, tr := range got {
			if tr.Outcome != crash.Pass {
				t.Errorf("%v: trial %d: %s %s", signal, tr.N, tr.Outcome, tr.Error)
			}
		}
		if len(troubles) != 1 || !strings.Contains(troubles[0], said) {
			t.Errorf("want one report of the QEMU with %q, got %q", said, troubles)
		}
	}
}

func TestInterruptionKeepsWhatIsDone(t *testing.T) {
	job := plan(t, "process", 500, "pass")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	n := 0
	job.Trial = func(journal.Trial) {
		if n++; n == 5 {
			cancel()
		}
	}
	if err := Run(ctx, job); err != context.Canceled {
		t.Errorf("got %v, want the context's error", err)
	}
	if got := len(results(t, job)["pass"]); got < 5 || got >= 500 {
		t.Errorf("%d trials recorded", got)
	}
	noGuestLeft(t)
}

// guests are the QEMU processes that this test has started.
func guests(t *testing.T) []int {
	t.Helper()
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		t.Fatal(err)
	}
	var pids []int
	for _, path := range stats {
		b, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		var pid, parent int
		var state string
		open, end := bytes.IndexByte(b, '('), bytes.LastIndexByte(b, ')')
		if open < 0 || end < open || !bytes.HasPrefix(b[open+1:], []byte("qemu-system")) {
			continue
		}
		fmt.Sscan(string(b[:open]), &pid)
		fmt.Sscan(string(b[end+1:]), &state, &parent)
		if parent == os.Getpid() && state != "Z" {
			pids = append(pids, pid)
		}
	}
	return pids
}

func noGuestLeft(t *testing.T) {
	t.Helper()
	for range 50 {
		if len(guests(t)) == 0 {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Errorf("QEMU processes are left: %v", guests(t))
}

// What cannot be started is charged once for each guest, and the record says why.
func TestProgramThatCannotStart(t *testing.T) {
	job := plan(t, matrix.Fork, 1, "pass")
	job.Commands[0].Argv = []string{"/no-such-program"}
	if err := Run(t.Context(), job); err != nil {
		t.Fatal(err)
	}
	got := results(t, job)["pass"]
	if len(got) != 1 || got[0].Outcome != crash.Infra || got[0].Attempts != attempts || !strings.Contains(got[0].Error, "start /no-such-program: no such file") {
		t.Errorf("recorded %+v", got)
	}
	if got[0].VM != attempts {
		t.Errorf("given up after %d guests, want %d", got[0].VM, attempts)
	}
}

// Guests that fail at the same time are no row of failures.
func TestGuestsThatFailTogether(t *testing.T) {
	job := plan(t, matrix.Boot, attempts, "pass")
	job.Parallel = attempts
	started := 0
	job.Boot = func(string) {
		if started++; started == attempts {
			for _, pid := range guests(t) {
				syscall.Kill(pid, syscall.SIGKILL)
			}
		}
	}
	if err := Run(t.Context(), job); err != nil {
		t.Fatal(err)
	}
	for _, tr := range results(t, job)["pass"] {
		if tr.Outcome != crash.Pass {
			t.Errorf("trial %d: %s %s", tr.N, tr.Outcome, tr.Error)
		}
	}
}

// A run of days must keep its template from other labs, which trim what nobody uses.
func TestTemplateOfALongRunIsInUse(t *testing.T) {
	job := plan(t, matrix.Fork, 1, "pass")
	st, err := store.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	job.Store = st
	r := newRun(t.Context(), nil, job)
	k := r.kind(&trial{schedule: job.Matrix.Schedule(job.Cells[0], 1, job.Machine.VCPUs)})
	prepare := func() {
		if _, err := r.template(k); err != nil {
			t.Fatal(err)
		}
	}
	prepare()
	all, err := filepath.Glob(filepath.Join(st.Dir(), "templates", "*", "ram"))
	if err != nil || len(all) != 1 {
		t.Fatalf("templates %q, %v", all, err)
	}
	long := time.Now().Add(-25 * time.Hour)
	if err := os.Chtimes(filepath.Dir(all[0]), long, long); err != nil {
		t.Fatal(err)
	}
	r.templates[k].used = long
	prepare()
	st.Trim("templates", 0)
	if _, err := os.Stat(all[0]); err != nil {
		t.Errorf("the run's template was trimmed: %v", err)
	}
}

// A limit that means none must not turn into one that has passed.
func TestEnormousTimeLimits(t *testing.T) {
	r := &run{Job: Job{Matrix: &matrix.Matrix{Timeout: math.MaxInt64}}}
	for shift := range matrix.MaxShift + 1 {
		silent := silence(r.limit(), vm.Engine{Deterministic: true, Shift: shift, SingleStep: true})
		if limit := r.timeout(matrix.Schedule{Knobs: matrix.Knobs{Shift: shift}}); limit < longest || 5*silent < longest { // which vm takes on a slow host
			t.Errorf("shift %d: a limit of %v, silence of %v", shift, limit, silent)
		}
	}
}

func TestSilenceGrowsWithTheInstructions(t *testing.T) {
	const limit = 20 * time.Second
	for engine, want := range map[vm.Engine]time.Duration{
		{}:                              70 * time.Second,
		{Deterministic: true, Shift: 3}: 70 * time.Second,
		{Deterministic: true, Shift: 8}: 70 * time.Second, // as many instructions: the trial's limit grows
		{Deterministic: true, Shift: 0}: 350 * time.Second,
		{Deterministic: true, Shift: 3, SingleStep: true}: 190 * time.Second,
	} {
		if got := silence(limit, engine); got != want {
			t.Errorf("%+v: %v, want %v", engine, got, want)
		}
	}
}
