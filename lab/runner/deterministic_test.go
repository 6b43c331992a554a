package runner

import (
	"errors"
	"io/fs"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"ghostlab/images"
	"ghostlab/lab/crash"
	"ghostlab/lab/journal"
	"ghostlab/lab/labtest"
	"ghostlab/lab/matrix"
	"ghostlab/scenarios"
)

// racing is a job of the map race, whose text may set engine, isolation and
// axes.
func racing(t *testing.T, text string) Job {
	t.Helper()
	m, err := matrix.Parse("test.yaml", []byte("scenario: ghost-map\n"+text), matrix.Options{Find: scenarios.In("../../scenarios")})
	if err != nil {
		t.Fatal(err)
	}
	job := plan(t, matrix.Fork, 1, "pass") // for the host's side
	job.Matrix, job.Cells = m, m.Cells()
	job.Commands = Commands(m.Scenario, job.Cells)
	job.Image = map[string]*images.Image{images.Name("", labtest.Go): labtest.Image(t, m.Scenario.ReproDir())}
	job.Verify, job.Folder = 1, folder(t, m)
	return job
}

func trials(t *testing.T, job Job) (*journal.Run, []journal.Trial) {
	t.Helper()
	var all []journal.Trial
	run, err := journal.Open(job.Folder.Dir(), func(tr journal.Trial) { all = append(all, tr) })
	if err != nil {
		t.Fatal(err)
	}
	return run, all
}

// Every deterministic trial is run twice by the run itself, and once more from
// its record.
func TestDeterministicTrialsRepeat(t *testing.T) {
	for _, isolation := range []string{matrix.Fork, matrix.Process, matrix.Boot} {
		t.Run(isolation, func(t *testing.T) {
			job := racing(t, "trials: 3\nengine: deterministic\nisolation: "+isolation+"\naxes:\n  vcpus: [1, 2]\n")
			if err := Run(t.Context(), job); err != nil {
				t.Fatal(err)
			}
			run, all := trials(t, job)
			if v := run.Verification; v == nil || v.Checked != 6 || v.Identical != 6 {
				t.Errorf("verification: %+v", v)
			}
			digests := map[string]bool{}
			for _, tr := range all {
				digests[tr.Digest] = true
			}
			if len(digests) != 6 || digests[""] {
				t.Errorf("6 trials with seeds of their own have the digests %v", digests)
			}
			for _, tr := range all[len(all)-2:] {
				r, err := NewReplayer(t.Context(), job, job.Folder.Dir(), tr)
				if err != nil {
					t.Fatal(err)
				}
				again, err := r.Replay(t.TempDir())
				r.Close()
				if err != nil {
					t.Fatal(err)
				}
				if d := Difference(Execution{Trial: tr}, again); d != "" {
					t.Errorf("trial %d (%s): %s", tr.N, tr.Schedule, d)
				}
			}
		})
	}
}

// Guests are checked side by side, as they were run.
func TestVerificationIsParallel(t *testing.T) {
	job := racing(t, "trials: 4\nengine: deterministic\nisolation: boot\n")
	job.Parallel = 2
	started, most := 0, 0
	job.Boot = func(string) {
		if started++; started > 4 {
			most = max(most, len(guests(t)))
		}
	}
	if err := Run(t.Context(), job); err != nil {
		t.Fatal(err)
	}
	if run, _ := trials(t, job); run.Verification == nil || run.Verification.Identical != 4 || most != 2 {
		t.Errorf("verification %+v, at most %d guests at once", run.Verification, most)
	}
}

func TestManyVCPUsAreBootedAndItIsSaid(t *testing.T) {
	job := racing(t, "trials: 1\nengine: deterministic\naxes:\n  vcpus: [8]\n")
	said := ""
	job.Notice = func(text string) { said += text }
	if err := Run(t.Context(), job); err != nil {
		t.Fatal(err)
	}
	run, all := trials(t, job)
	if len(all) != 1 || all[0].Template != "" || run.Verification == nil || run.Verification.Identical != 1 {
		t.Errorf("trials %+v, verification %+v", all, run.Verification)
	}
	if !strings.Contains(said, "8 vCPUs are booted, not forked") {
		t.Errorf("the run said %q", said)
	}
}

func TestHuntEndsWithATrialThatReplays(t *testing.T) {
	job := racing(t, "trials: 1000\nsearch: hunt\naxes:\n  iterations: 100\n")
	job.Enough = 1
	if err := Run(t.Context(), job); err != nil {
		t.Fatal(err)
	}
	run, all := trials(t, job)
	found := all[len(all)-1]
	for _, tr := range all {
		if Failed(tr) {
			found = tr
		}
	}
	if found.Outcome != crash.Crash || len(all) > 500 {
		t.Fatalf("%d trials, found %+v", len(all), found)
	}
	if len(run.Hunts) != 1 || len(run.Hunts[0]) < 5 || len(run.Found) == 0 || run.Found[0].Title != found.Title {
		t.Errorf("what the hunt has learnt: %+v, found: %+v", run.Hunts, run.Found)
	}
	r, err := NewReplayer(t.Context(), job, job.Folder.Dir(), found)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	again, err := r.Replay(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if d := Difference(Execution{Trial: found}, again); d != "" {
		t.Error(d)
	}
}

func TestSharedGuestWithoutItsSpecIsAnError(t *testing.T) {
	job := racing(t, "trials: 1\nengine: deterministic\nisolation: process\n")
	tr := journal.Trial{N: 1, VM: 7, Schedule: matrix.Schedule{Knobs: matrix.Knobs{VCPUs: 1, Shift: 3}}}
	if _, err := NewReplayer(t.Context(), job, t.TempDir(), tr); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), filepath.Join("vms", "7")) {
		t.Errorf("got %v", err)
	}
}

func TestDifferenceNamesTheFirst(t *testing.T) {
	base := func() Execution {
		return Execution{
			Trial:    journal.Trial{Outcome: crash.Crash, Title: "t", Exit: 2, Duration: 5, Digest: "a"},
			Evidence: journal.Evidence{"console.log": []byte("one\ntwo\n")},
		}
	}
	for _, c := range []struct {
		change func(*Execution)
		want   string
	}{
		{func(e *Execution) { e.Digest = "a" }, ""},
		{func(e *Execution) { e.Outcome, e.Title = crash.Pass, "" }, "outcome: crash t, now pass "},
		{func(e *Execution) { e.Exit = 3 }, "exit status 2, signal 0, now 3, 0"},
		{func(e *Execution) { e.Evidence["console.log"] = []byte("one\n2\n") }, `console.log line 2: "two", now "2"`},
		{func(e *Execution) { e.Evidence["console.log"] = []byte("one\n") }, `console.log line 2: "two", now ""`},
		{func(e *Execution) { e.Duration = 6 }, "duration in the guest: 5ns, now 6ns; the evidence that would show more is not kept"},
	} {
		a, b := base(), base()
		b.Digest = "b"
		c.change(&b)
		if got := Difference(a, b); !strings.HasPrefix(got, c.want) || (c.want == "") != (got == "") {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}

// A guest that a trial takes along leaves the others to the next; that is no
// divergence of theirs.
func TestVerificationKnowsWhichGuestATrialEndedIn(t *testing.T) {
	job := plan(t, matrix.Process, 6, "pass", "poweroff")
	job.Matrix.Engine, job.Matrix.Shift, job.Verify = matrix.Deterministic, matrix.DefaultShift, 1
	if err := Run(t.Context(), job); err != nil {
		t.Fatal(err)
	}
	run, all := trials(t, job)
	if v := run.Verification; len(all) != 12 || v == nil || v.Checked == 0 || v.Identical != v.Checked {
		t.Errorf("%d trials, verification %+v", len(all), v)
	}
}

// More than a clone can be told of is told to a guest that boots.
func TestLargeSpecsAreBooted(t *testing.T) {
	job := racing(t, "trials: 1\nengine: deterministic\n")
	job.Commands[0].Env = append(job.Commands[0].Env, "LARGE="+strings.Repeat("x", 70_000))
	if err := Run(t.Context(), job); err != nil {
		t.Fatal(err)
	}
	run, all := trials(t, job)
	if len(all) != 1 || all[0].Outcome == crash.Infra || all[0].Template != "" || run.Verification == nil || run.Verification.Identical != 1 {
		t.Fatalf("trials %+v, verification %+v", all, run.Verification)
	}
	r, err := NewReplayer(t.Context(), job, job.Folder.Dir(), all[0])
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	again, err := r.Replay(t.TempDir())
	if err != nil || Difference(Execution{Trial: all[0]}, again) != "" {
		t.Errorf("replayed: %s (%v)", Difference(Execution{Trial: all[0]}, again), err)
	}
}

// Nobody reads a guest's last events, and they must not pile up.
func TestGuestsLeaveNoGoroutines(t *testing.T) {
	before := runtime.NumGoroutine()
	job := plan(t, matrix.Fork, 10, "pass")
	if err := Run(t.Context(), job); err != nil {
		t.Fatal(err)
	}
	for range 50 {
		if runtime.NumGoroutine() <= before+2 {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Errorf("%d goroutines before, %d after 10 trials", before, runtime.NumGoroutine())
}
