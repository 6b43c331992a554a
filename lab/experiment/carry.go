package experiment

import (
	"context"
	"errors"
	"fmt"

	"ghostlab/gdb/ends"
	"ghostlab/lab/journal"
	"ghostlab/lab/live"
	"ghostlab/lab/matrix"
	"ghostlab/lab/runner"
)

// carryOut runs the job with its progress on the terminal.
func (l Lab) carryOut(ctx context.Context, job runner.Job, h *Hunt) error {
	m := job.Matrix
	run := job.Folder.Run()
	view := live.New(l.Out, live.Plan{Title: m.Scenario.Name, Axes: m.Varied(), Cells: job.Cells, Trials: m.Trials, Shard: run.Shard, Stop: m.Stop, Hunt: h != nil})
	defer view.End()
	if _, err := journal.Open(job.Folder.Dir(), view.Past); err != nil {
		return err
	}
	stopped := map[int]bool{}
	for _, s := range run.Stopped {
		stopped[s.Cell] = true
		view.Stopped(s.Cell)
	}
	job.Trial = func(t journal.Trial) {
		view.Trial(t)
		l.Events.Trial(t)
		if !stopped[t.Cell] && job.Folder.Stopped(t.Cell) {
			stopped[t.Cell] = true
			view.Stopped(t.Cell)
			l.Events.Stopped(t.Cell)
		}
		if h != nil {
			h.tried(t)
		}
	}
	if h != nil {
		limited, cancel := context.WithTimeoutCause(ctx, h.Limit, errLimit)
		defer cancel()
		ctx = limited
	}
	job.Notice = func(text string) {
		l.Out.Printf("%s", text)
		l.Events.Trouble(text)
	}
	if l.Verbose {
		job.Boot = func(byHand string) {
			l.Out.Printf("%s", byHand)
			l.Events.Guest(byHand)
		}
	}
	err := runner.Run(ctx, job)
	if errors.Is(err, context.DeadlineExceeded) && context.Cause(ctx) == errLimit {
		return nil
	}
	return err
}

// errLimit is why a hunt without a find ends.
var errLimit = errors.New("time limit of the hunt")

// hold makes the job keep guests at their crash, and cores where its matrix wants
// them. Its folder is read when a guest is held.
func (l Lab) hold(job *runner.Job, guests int) error {
	if guests == 0 && !job.Matrix.Collect.Keeps(matrix.Core) {
		return nil
	}
	job.Holds, job.Hold = guests, map[string]*ends.Place{}
	for name, img := range job.Image {
		place, err := ends.Find(img.Kernel.Vmlinux())
		if err != nil {
			return err
		}
		job.Hold[name] = place
	}
	job.Held = func(trial int) {
		name := fmt.Sprintf("%s/%d", job.Folder.Run().ID, trial)
		l.Out.Printf("trial %d is held at its crash: `lab attach %s`, `lab dump %s`; it goes on when gdb leaves, Ctrl-C ends the run", trial, name, name)
	}
	return nil
}
