package experiment

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"ghostlab/lab/config"
	"ghostlab/lab/crash"
	"ghostlab/lab/journal"
	"ghostlab/lab/matrix"
	"ghostlab/lab/runner"
	"ghostlab/lab/usage"
	"ghostlab/scenarios"
)

// Search returns a matrix whose schedules are searched.
func Search(settings config.Config, s *scenarios.Scenario, trials int, seed uint64, set []matrix.Flag) (*matrix.Matrix, error) {
	search := []matrix.Flag{
		{Name: matrix.KeySearch, Value: matrix.Hunt, Words: "hunt"},
		{Name: matrix.KeyTrials, Value: strconv.Itoa(trials), Words: "flag --trials"},
		{Name: matrix.KeySeed, Value: strconv.FormatUint(seed, 10), Words: "flag --seed"},
	}
	return matrix.Of(s, matrix.Options{Presets: Presets(settings), Set: append(search, set...)})
}

// Threaded gives the programs of a hunt as many threads for goroutines as they
// have on so many vCPUs, also on one: there a Go program would have one only, which
// the runtime's own functions, such as those of maps, do not leave.
func Threaded(m *matrix.Matrix, vcpus int) {
	set := slices.ContainsFunc(m.Axes, func(x matrix.Axis) bool { return x.Name == MaxProcs || x.Name == matrix.EnvPrefix+"GOMAXPROCS" })
	if p, ok := m.Scenario.Params[MaxProcs]; set || !ok || !p.Optional {
		return
	}
	threads := strconv.Itoa(max(vcpus, 2))
	m.Axes = append(m.Axes, matrix.Axis{Name: MaxProcs, Values: []string{threads}})
	m.Set = append(m.Set, matrix.AxisFlag(MaxProcs, threads))
}

// MaxProcs is the parameter of a program that has no scenario, see scenarios.Of.
const MaxProcs = "gomaxprocs"

// Like returns a hunt for trials that end like one of a past run, and the lab that can
// run it: with the settings of that run. The trial must have failed, or not have ended.
func (l Lab) Like(ctx context.Context, run *journal.Run, t journal.Trial) (Lab, *matrix.Matrix, func(journal.Trial) bool, error) {
	if t.Outcome != crash.Hang && !runner.Failed(t) {
		return l, nil, nil, usage.New(fmt.Errorf("trial %d did not fail: there is nothing to hunt for", t.N), "")
	}
	s, err := l.ScenarioOf(run)
	if err != nil {
		return l, nil, nil, err
	}
	cell := run.Cells[t.Cell]
	kernel := run.KernelOf(cell)
	if l.Provider, err = l.WithTree(ctx, run, kernel); err != nil {
		return l, nil, nil, err
	}
	l.Settings.Go, l.Settings.Kernel = run.Go, kernel.Asked
	l.Settings.CPU, l.Settings.Memory = run.Guest.CPU, run.Guest.Memory
	set := []matrix.Flag{{Name: matrix.KeyTimeout, Value: run.Timeout.String()}}
	for _, axis := range run.Axes {
		if value, ok := cell.Axes[axis.Name]; ok && !matrix.HuntChooses(axis.Name) {
			set = append(set, matrix.AxisFlag(axis.Name, value))
		}
	}
	m, err := Search(l.Settings, s, MostHunted, 1, set)
	if err != nil {
		return l, nil, nil, err
	}
	Threaded(m, t.Schedule.VCPUs)
	return l, m, func(other journal.Trial) bool { return other.Title == t.Title }, nil
}

// MostHunted is the number of trials after which a hunt gives up.
const MostHunted = 100_000
