package journal

import (
	"strings"
	"testing"

	"ghostlab/lab/matrix"
)

func TestMemoryOrderIsJudgedByWhatTheTestCouldSee(t *testing.T) {
	fenced := func(rounds, forbidden, plain, reordered int) *MemoryOrder {
		return &MemoryOrder{Fence: "29cc", Fenced: &Litmus{rounds, forbidden, plain, reordered}, Bare: &Litmus{rounds, 400, plain, reordered}}
	}
	for name, c := range map[string]struct {
		m    *MemoryOrder
		want OrderVerdict
		says string
	}{
		"a run of before":     {nil, OrderBroken, "NOT as Arm's: this run is from before"},
		"no fence":            {&MemoryOrder{Why: "this host has no C compiler to make the plugin with"}, OrderBroken, "NOT as Arm's: no fence after store-release: this host has no C compiler"},
		"kept":                {fenced(2000, 0, 1000, 100), OrderKept, "no weaker than Arm's: 0 forbidden outcomes in 2000 rounds (400 in 2000 without the fence)"},
		"one is too many":     {fenced(2000, 1, 1000, 100), OrderBroken, "NOT as Arm's: with the fence 1 forbidden outcomes in 2000"},
		"also on a busy host": {fenced(2000, 1, 1000, 0), OrderBroken, "NOT as Arm's"},
		"nothing to be seen":  {fenced(2000, 0, 1000, 99), OrderUnknown, "not known to be Arm's: 0 forbidden outcomes in 2000"},
		"too few rounds":      {fenced(999, 0, 1000, 100), OrderUnknown, "not known to be Arm's"},
		"no test":             {&MemoryOrder{Fence: "29cc", Why: "this host has one core"}, OrderUnknown, "not known to be Arm's: fence after store-release, but no self-test: this host has one core"},
	} {
		if got := c.m.Verdict(); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
		if got := c.m.String(); !strings.HasPrefix(got, c.says) {
			t.Errorf("%s: %q, want %q…", name, got, c.says)
		}
	}
}

// Trials with the fence and without are not counted together, those of hosts whose
// self-tests differ are; and where there is no race nobody asks.
func TestFencedTrialsAreNotCountedWithOthers(t *testing.T) {
	run := func(engine string, m *MemoryOrder) *Run {
		return &Run{Engine: engine, Guest: Guest{VCPUs: 2, Accelerator: "tcg"}, Cells: []matrix.Cell{{}}, MemoryOrder: m}
	}
	here := &MemoryOrder{Fence: "29cc50ca79650589", Fenced: &Litmus{Rounds: 2000, Plain: 1000, Reordered: 100}}
	there := &MemoryOrder{Fence: "29cc50ca79650589", Fenced: &Litmus{Rounds: 1500, Plain: 700, Reordered: 120}}
	for name, c := range map[string]struct {
		was, is *Run
		want    string
	}{
		"before and now":   {run(matrix.Parallel, nil), run(matrix.Parallel, here), "memory order: no fence after store-release -> fence 29cc50ca7965"},
		"no compiler":      {run(matrix.Parallel, here), run(matrix.Parallel, &MemoryOrder{Why: "no compiler"}), "memory order: fence 29cc50ca7965 -> no fence after store-release"},
		"two hosts":        {run(matrix.Parallel, here), run(matrix.Parallel, there), ""},
		"no fence, as now": {run(matrix.Parallel, nil), run(matrix.Parallel, &MemoryOrder{Why: "no compiler"}), ""},
		"deterministic":    {run(matrix.Deterministic, nil), run(matrix.Deterministic, here), ""},
	} {
		var got []string
		for _, change := range Compare(c.was, c.is) {
			got = append(got, change.String())
		}
		if strings.Join(got, "; ") != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestOnlyVCPUsThatRunAtTheSameTimeRace(t *testing.T) {
	racing := Run{Engine: matrix.Parallel, Guest: Guest{VCPUs: 2, Accelerator: "tcg"}, Cells: []matrix.Cell{{}}}
	for name, c := range map[string]struct {
		change func(r *Run)
		want   bool
	}{
		"parallel": {func(*Run) {}, true},
		"one vCPU": {func(r *Run) { r.Guest.VCPUs = 1 }, false},
		"several in one cell": {func(r *Run) {
			r.Guest.VCPUs, r.Cells = 1, []matrix.Cell{{}, {Axes: map[string]string{matrix.AxisVCPUs: "4"}}}
		}, true},
		"deterministic": {func(r *Run) { r.Engine = matrix.Deterministic }, false},
		"parallel in one cell": {func(r *Run) {
			r.Engine, r.Cells = matrix.Deterministic, []matrix.Cell{{}, {Axes: map[string]string{matrix.AxisEngine: matrix.Parallel}}}
		}, true},
		"KVM":  {func(r *Run) { r.Guest.Accelerator = "kvm" }, false},
		"hunt": {func(r *Run) { r.Search = matrix.Hunt }, false},
	} {
		run := racing
		c.change(&run)
		if got := run.Races(); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
