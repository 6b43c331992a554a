package experiment

import (
	"maps"
	"testing"
	"time"

	"ghostlab/lab/crash"
	"ghostlab/lab/journal"
	"ghostlab/lab/matrix"
	"ghostlab/lab/provision"
	"ghostlab/scenarios"
)

// A hunt for a past trial sets what the trial's cell has, and nothing that only
// other cells have.
func TestHuntForATrialSetsWhatItsCellHas(t *testing.T) {
	run := &journal.Run{
		Own: &scenarios.Program{Dir: t.TempDir(), Package: ".", ImportPath: "m/q"}, Timeout: time.Second, Go: "1.21.6",
		Axes:    []matrix.Axis{{Name: "env.A", Values: []string{"x,y"}}, {Name: "env.X", Values: []string{"1"}}, {Name: MaxProcs, Values: []string{"1"}}},
		Cells:   []matrix.Cell{{Axes: map[string]string{"env.A": "x,y"}}},
		Kernels: []journal.Kernel{{Asked: "6.1"}}, Guest: journal.Guest{CPU: "cortex-a57", VCPUs: 2, Memory: 512},
	}
	trial := journal.Trial{N: 1, Outcome: crash.Crash, Schedule: matrix.Schedule{Knobs: matrix.Knobs{VCPUs: 4}}}
	l := Lab{Provider: provision.Provider{Trust: true}}
	_, m, _, err := l.Like(t.Context(), run, trial)
	if err != nil {
		t.Fatal(err)
	}
	// Threads are those of the trial's vCPUs, for its cell does not say.
	want := map[string]string{"env.A": "x,y", MaxProcs: "4"}
	if cells := m.Cells(); len(cells) != 1 || !maps.Equal(cells[0].Axes, want) || m.Search != matrix.Hunt || m.Timeout != time.Second {
		t.Errorf("cells %v of %+v, want %v", cells, m, want)
	}
}
