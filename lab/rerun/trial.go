package rerun

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"ghostlab/gdb/explain"
	"ghostlab/gdb/travel"
	"ghostlab/images"
	"ghostlab/lab/journal"
	"ghostlab/lab/matrix"
	"ghostlab/lab/provision"
	"ghostlab/lab/runner"
	"ghostlab/lab/toolchain"
	"ghostlab/lab/visible"
	"ghostlab/lab/vm"
)

// Trial is a past trial that can be run again and, with one vCPU, both ways.
type Trial struct {
	Past     *Past
	Image    *images.Image
	Replayer *runner.Replayer

	provider provision.Provider
}

// Open prepares a trial to be run again. The error is that of Past.Repeats, where it has
// one. Call Close in the end.
func Open(ctx context.Context, p provision.Provider, past *Past) (*Trial, error) {
	if err := past.Repeats(); err != nil {
		return nil, err
	}
	vm.CleanStale()
	job, err := Job(ctx, p, past)
	if err != nil {
		return nil, err
	}
	t := &Trial{Past: past, Image: job.Image[past.ImageName()], provider: p}
	t.Replayer, err = runner.NewReplayer(ctx, job, past.Dir, past.Trial.Trial)
	return t, err
}

// Close frees what the replays needed.
func (t *Trial) Close() { t.Replayer.Close() }

// Guests is the number of guests that replay the trial at once: as many as asked for, or
// what the host allows where that is zero.
func (t *Trial) Guests(asked int) int {
	machine := provision.Machine(t.provider.Settings, "")
	machine.VCPUs, machine.Memory = t.Past.Run.Guest.VCPUs, t.Past.Run.Guest.Memory
	m := &matrix.Matrix{Engine: t.Past.Run.Engine}
	return provision.Guests(asked, t.provider.Settings.Jobs, m, []matrix.Cell{t.Past.Cell()}, machine)
}

// Replay starts the replay of the trial's record, which is made now if there is none.
// The error is a *DifferentError where the recorded execution was not identical.
func (t *Trial) Replay() (*vm.Replay, error) {
	replay, _, err := t.Replayer.Open()
	if !errors.As(err, new(*journal.NoRecordError)) && !errors.As(err, new(*runner.RecorderError)) {
		return replay, err
	}
	task := t.provider.Out.Steps("record", 1)
	rec, e, err := t.Replayer.Record()
	task.End()
	if err != nil {
		return nil, err
	}
	if rec == nil {
		return nil, &DifferentError{Trial: t.Past.Trial.N, Difference: runner.Difference(t.Past.Trial, e)}
	}
	replay, _, err = t.Replayer.Open()
	return replay, err
}

// Evidence is that of the trial, which is run once more where none was kept. The error
// is a *DifferentError where that was not identical.
func (t *Trial) Evidence() (journal.Evidence, error) {
	trial := t.Past.Trial
	if !trial.Unkept {
		return trial.Evidence, nil
	}
	var e runner.Execution
	if err := t.Replayer.Times(1, 1, func(again runner.Execution) bool { e = again; return true }); err != nil {
		return nil, err
	}
	if d := runner.Difference(trial, e); d != "" {
		return nil, &DifferentError{Trial: trial.N, Difference: d}
	}
	return e.Evidence, nil
}

// DifferentError says that a deterministic trial was run again and was not identical.
type DifferentError struct {
	Trial int
	// Difference is the first one.
	Difference string
}

func (e *DifferentError) Error() string {
	return fmt.Sprintf("trial %d was run again and was not identical; first difference: %s", e.Trial, e.Difference)
}

// Sources finds the program's files, as far as they are to be had.
func (t *Trial) Sources(ctx context.Context) explain.Sources {
	src := explain.Sources{Compiled: t.Past.Run.Started}
	if s, err := t.provider.ScenarioOf(t.Past.Run); err == nil {
		b := images.Build(s.Program(), t.Past.GoVersion())
		if src.Folders, src.Standard, err = toolchain.Folders(ctx, b); err != nil {
			t.provider.Out.Printf("no sources are shown: %v", err)
		}
	}
	return src
}

// About is what a debugger has to know of the trial's guest.
func (t *Trial) About() vm.About {
	of := vm.About{Program: t.Image.Program, Go: t.Past.GoVersion()}
	if s, err := t.provider.ScenarioOf(t.Past.Run); err == nil {
		source := s.Program()
		of.Source = &source
	}
	return of
}

// caseOf is the trial that the machine replays, to be explained.
func (t *Trial) caseOf(m *travel.Machine, replay *vm.Replay) explain.Case {
	trial := t.Past.Trial.Trial
	return explain.Case{
		Machine: m, Trial: fmt.Sprintf("%s/%d", filepath.Base(t.Past.Dir), trial.N),
		Signature: visible.Text(trial.Title, false), Shift: trial.Schedule.Shift,
		Exit: trial.Exit, Signal: trial.Signal, Hung: t.Past.Hung(), Vmlinux: t.Image.Kernel.Vmlinux(),
		Begun: func() (bool, error) { return replay.Begun(trial.N) },
	}
}
