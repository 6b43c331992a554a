package runner

import (
	"errors"
	"strings"
	"testing"

	"ghostlab/lab/crash"
	"ghostlab/lab/matrix"
)

// Guests of one kind that cannot run do not take the results of another with them.
func TestKindOfGuestsThatCannotRun(t *testing.T) {
	for _, isolation := range []string{matrix.Boot, matrix.Process} {
		job := plan(t, isolation, 6, "pass")
		job.Matrix.Axes = append(job.Matrix.Axes, matrix.Axis{Name: matrix.AxisCPU, Values: []string{"cortex-a57", "no-such-model"}})
		job.Matrix.Trials, job.Cells = 6, job.Matrix.Cells()
		job.Commands = Commands(job.Matrix.Scenario, job.Cells)
		job.Folder = folder(t, job.Matrix)
		if err := Run(t.Context(), job); err != nil {
			t.Fatal(err)
		}
		ended := map[string]int{}
		for _, tr := range results(t, job)["pass"] {
			model := job.Cells[tr.Cell].Axes[matrix.AxisCPU]
			ended[model+" "+string(tr.Outcome)]++
			if tr.Outcome == crash.Infra && !strings.Contains(tr.Error, "no-such-model") {
				t.Errorf("%s: trial %d: %s", isolation, tr.N, tr.Error)
			}
		}
		if len(ended) != 2 || ended["cortex-a57 pass"] != 6 || ended["no-such-model infra"] != 6 {
			t.Errorf("%s: got %v", isolation, ended)
		}
	}
}

func TestNoKindOfGuestsCanRun(t *testing.T) {
	job := plan(t, matrix.Boot, 6, "pass")
	job.Machine.CPU = "no-such-model"
	var none *hopelessError
	if err := Run(t.Context(), job); !errors.As(err, &none) || !infrastructural(err) {
		t.Errorf("got %v", err)
	}
	if all := results(t, job)["pass"]; len(all) > 0 {
		t.Errorf("recorded: %+v", all)
	}
}

// Each guest that is held has another in its place, for as long as it is held.
func TestWorkersOfHeldGuestsLeave(t *testing.T) {
	r := newRun(t.Context(), nil, Job{Parallel: 1, Holds: 1})
	r.beside = func(func()) {}
	r.hire()
	if r.leaves() || !r.claim() {
		t.Fatal("the only worker leaves, or nothing can be held")
	}
	r.hire()
	if r.leaves() {
		t.Error("it leaves while a guest is held")
	}
	r.unclaim()
	if !r.leaves() || r.leaves() {
		t.Error("want one of the two to leave")
	}
}
