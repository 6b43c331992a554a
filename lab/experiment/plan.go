package experiment

import (
	"strconv"

	"ghostlab/lab/config"
	"ghostlab/lab/journal"
	"ghostlab/lab/matrix"
	"ghostlab/scenarios"
)

// PlanOf returns what a matrix says of a run.
func PlanOf(m *matrix.Matrix) journal.Run {
	return journal.Run{
		Scenario: m.Scenario.Name, ScenarioDir: m.Scenario.Dir, Own: m.Scenario.Own, Set: m.Set, Only: m.Narrowed, Trials: m.Trials, Timeout: m.Timeout, Seed: m.Seed,
		Engine: m.Engine, Shift: m.Shift, Isolation: m.Isolation, Search: m.Search, Axes: m.Varied(), Cells: m.Cells(),
		Expect: m.Expect, Stop: m.Stop, Collect: m.Collect,
	}
}

// MatrixOf returns the matrix of a run, as it was resolved: its cells are those that
// are included, whatever the axes span.
func (l Lab) MatrixOf(run *journal.Run) (*matrix.Matrix, error) {
	s, err := l.ScenarioOf(run)
	if err != nil {
		return nil, err
	}
	m := &matrix.Matrix{
		Scenario: s, Trials: run.Trials, Timeout: run.Timeout, Seed: run.Seed, Engine: run.Engine, Shift: run.Shift,
		Isolation: run.Isolation, Search: run.Search, Axes: run.Axes, Exclude: []matrix.Pattern{{}},
		Expect: run.Expect, Stop: run.Stop, Collect: run.Collect,
	}
	for _, c := range run.Cells {
		m.Include = append(m.Include, c.Axes)
	}
	return m, nil
}

// folder is where an experiment's trials go: a new run's, or that of the one
// that goes on.
func (l Lab) folder(e Experiment, record journal.Run) (*journal.Folder, error) {
	if err := journal.CheckKey(); err != nil {
		l.Out.Printf("%v", err)
	}
	if e.Resumed == nil {
		f, err := journal.Create(l.Settings.Runs, record)
		if err == nil && e.Text != nil {
			if err = f.KeepMatrix(e.Text); err != nil {
				f.Close()
			}
		}
		return f, err
	}
	was := e.Resumed.Run()
	if changes := journal.Compare(&was, &record); len(changes) > 0 {
		return nil, NotResumable(e.Resumed.Dir(), &was, changes)
	}
	if was.Lab != record.Lab {
		l.Out.Printf("the run was begun by lab %s, this is %s", was.Lab, record.Lab)
	}
	return e.Resumed, e.Resumed.Continue(record.Sessions[0])
}

// MatrixOptions are those of a matrix file without flags.
func MatrixOptions(settings config.Config) matrix.Options {
	return matrix.Options{Find: scenarios.In(settings.Scenarios), Presets: Presets(settings)}
}

// Presets are the values of the lab's axes where a matrix names none.
func Presets(settings config.Config) map[string]string {
	p := map[string]string{
		matrix.AxisGo:     settings.Go,
		matrix.AxisVCPUs:  strconv.Itoa(settings.CPUs),
		matrix.AxisCPU:    settings.CPU,
		matrix.AxisMemory: strconv.Itoa(settings.Memory) + "M",
	}
	if settings.Kernel != "" { // else it is that of a source tree
		p[matrix.AxisKernel] = settings.Kernel
	}
	return p
}
