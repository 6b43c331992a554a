package runner

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"ghostlab/lab/journal"
	"ghostlab/lab/matrix"
)

// What a session that was ended early has not checked the next one does.
func TestResumeChecksEarlierSessions(t *testing.T) {
	for _, isolation := range []string{matrix.Fork, matrix.Process} {
		t.Run(isolation, func(t *testing.T) {
			// Trials of two kinds of guests, so that those of one are done before the others.
			job := racing(t, "trials: 3\nengine: deterministic\nisolation: "+isolation+"\naxes:\n  vcpus: [1, 2]\n")
			ctx, stop := context.WithCancel(t.Context())
			seen := 0
			job.Trial = func(journal.Trial) {
				if seen++; seen == 3 {
					stop()
				}
			}
			if err := Run(ctx, job); !errors.Is(err, context.Canceled) {
				t.Fatalf("the first session ended with %v", err)
			}
			if err := job.Folder.Close(); err != nil {
				t.Fatal(err)
			}
			run, first := trials(t, job)
			if run.Verification != nil || run.Unchecked() != len(first) || len(first) < 3 {
				t.Fatalf("after the first session: verification %+v, unchecked %d of %d", run.Verification, run.Unchecked(), len(first))
			}
			job.Trial = nil
			resumed(t, &job)
			run, all := trials(t, job)
			if v := run.Verification; v == nil || v.Checked != 6 || v.Identical != 6 || run.Unchecked() != 0 || len(all) != 6 {
				t.Errorf("verification %+v of %d trials, unchecked %d", v, len(all), run.Unchecked())
			}
			// All has been checked now.
			resumed(t, &job)
			if run, _ := trials(t, job); run.Verification.Checked != 6 {
				t.Errorf("checked once more: %+v", run.Verification)
			}
		})
	}
}

// A session that was ended after its last trial has checked nothing either.
func TestResumeOfACompleteRunChecks(t *testing.T) {
	job := racing(t, "trials: 2\nengine: deterministic\n")
	job.Verify = 0
	if err := errors.Join(Run(t.Context(), job), job.Folder.Close()); err != nil {
		t.Fatal(err)
	}
	job.Verify = 1e-9 // none is chosen, and one is taken all the same
	resumed(t, &job)
	if run, _ := trials(t, job); run.Verification == nil || run.Verification.Checked != 1 || run.Verification.Identical != 1 {
		t.Errorf("verification %+v", run.Verification)
	}
}

// resumed goes on with a job's run, as a lab does that comes after another.
func resumed(t *testing.T, job *Job) {
	t.Helper()
	f, err := journal.Resume(job.Folder.Dir(), nil)
	if err != nil {
		t.Fatal(err)
	}
	job.Folder = f
	if err := errors.Join(f.Continue(journal.Session{}), Run(t.Context(), *job), f.Close()); err != nil {
		t.Fatal(err)
	}
}

// Of many failures that are the same a few leave files, and that is on record.
func TestEvidenceOfFailuresIsBounded(t *testing.T) {
	for _, isolation := range []string{matrix.Fork, matrix.Process} {
		job := plan(t, isolation, 6, "exit", "pass")
		record := recorded(job.Matrix)
		record.Collect = matrix.Collect{Evidence: matrix.DefaultCollect().Evidence, Failures: 2}
		job.Matrix.Collect = record.Collect
		var err error
		if job.Folder, err = journal.Create(t.TempDir(), record); err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(Run(t.Context(), job), job.Folder.Close()); err != nil {
			t.Fatal(err)
		}
		kept, unkept := 0, 0
		for _, tr := range results(t, job)["exit"] {
			_, err := os.Stat(filepath.Join(job.Folder.Dir(), "trials", strconv.Itoa(tr.N)))
			if there := err == nil; there == tr.Unkept {
				t.Errorf("%s: trial %d is on record as unkept=%v, and its folder is there: %v", isolation, tr.N, tr.Unkept, there)
			}
			if tr.Unkept {
				unkept++
			} else {
				kept++
			}
		}
		// The first two and the fourth.
		if kept != 3 || unkept != 3 {
			t.Errorf("%s: evidence of %d kept, of %d not", isolation, kept, unkept)
		}
	}
}
