package runner

import (
	"strings"
	"testing"

	"ghostlab/images"
	"ghostlab/lab/crash"
	"ghostlab/lab/journal"
	"ghostlab/lab/labtest"
)

// A program that reports in init's name has no result: each trial of it says why, and
// is not tried again until it does otherwise.
func TestForgedResultIsInfrastructure(t *testing.T) {
	job := plan(t, "fork", 4, "pass")
	job.Image[images.Name("", labtest.Go)] = labtest.Image(t, "../vm/testdata/forge")
	job.Commands = []journal.Command{{Argv: []string{images.ProgramPath, "said"}}}
	var all []journal.Trial
	job.Trial = func(t journal.Trial) { all = append(all, t) }
	if err := Run(t.Context(), job); err != nil {
		t.Fatal(err)
	}
	if len(all) != 4 {
		t.Errorf("%d of 4 trials are recorded", len(all))
	}
	for _, tr := range all {
		if tr.Outcome != crash.Infra || tr.Attempts != attempts || !strings.Contains(tr.Error, "by another than the guest's init") {
			t.Errorf("%+v", tr)
		}
	}
}
