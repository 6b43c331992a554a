package runner

import (
	"errors"
	"os"
	"slices"
	"testing"

	"ghostlab/lab/journal"
	"ghostlab/lab/matrix"
)

// A trial is recorded as it was, whatever its end, and the record is one that
// opens. What trials shared a guest with is in their record.
func TestRecordOfEveryEnd(t *testing.T) {
	for isolation, how := range map[string][]string{
		"fork":    {"pass", "panic", "kill", "hang", "flood", "poweroff", "reboot", "kernel-panic"},
		"boot":    {"panic", "kernel-panic"},
		"process": {"pass", "panic", "kernel-panic"},
	} {
		t.Run(isolation, func(t *testing.T) {
			job := plan(t, isolation, 1, how...)
			job.Matrix.Engine, job.Matrix.Shift, job.Machine.VCPUs = matrix.Deterministic, matrix.DefaultShift, 1
			if err := Run(t.Context(), job); err != nil {
				t.Fatal(err)
			}
			for how, trials := range results(t, job) {
				t.Run(how, func(t *testing.T) { recordAndOpen(t, job, trials[0]) })
			}
			noGuestLeft(t)
		})
	}
}

func recordAndOpen(t *testing.T, job Job, trial journal.Trial) {
	dir := job.Folder.Dir()
	p, err := NewReplayer(t.Context(), job, dir, trial)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	var none *journal.NoRecordError
	if _, _, err := p.Open(); !errors.As(err, &none) {
		t.Errorf("before there is a record: %v", err)
	}
	rec, e, err := p.Record()
	if err != nil {
		t.Fatal(err)
	}
	if rec == nil {
		t.Fatalf("not identical: %s", Difference(Execution{Trial: trial}, e))
	}
	if info, err := os.Stat(journal.RecordLog(dir, trial.N)); err != nil || info.Size() != rec.Size || rec.Size == 0 {
		t.Errorf("the log: %v, %v, record %+v", info, err, rec)
	}
	r, opened, err := p.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if *opened != *rec || r.Start() != rec.Start {
		t.Errorf("kept %+v, opened %+v at instruction %d", rec, opened, r.Start())
	}
	if end, err := r.Continue(t.Context()); err != nil || end.Instructions != rec.End {
		t.Errorf("the replay's end: %+v (%v), want instruction %d", end, err, rec.End)
	}
}

func TestNoRecordOfTwoVCPUs(t *testing.T) {
	var vcpus *VCPUsError
	err := Recordable(journal.Trial{N: 3, Schedule: matrix.Schedule{Knobs: matrix.Knobs{VCPUs: 2}}})
	if !errors.As(err, &vcpus) || vcpus.VCPUs != 2 {
		t.Errorf("got %v", err)
	}
	if err := Recordable(journal.Trial{Schedule: matrix.Schedule{Knobs: matrix.Knobs{VCPUs: 1}}}); err != nil {
		t.Error(err)
	}
}

func TestUnstamped(t *testing.T) {
	got := unstamped([]byte("[  0.000001] a] b\n[ 12.345678] \n[ 12.345679] end"))
	if want := []byte("a] b\n\nend"); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
