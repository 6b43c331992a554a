package cli

import (
	"errors"
	"fmt"

	"ghostlab/lab/journal"
	"ghostlab/lab/progress"
	"ghostlab/lab/rerun"
	"ghostlab/lab/runner"
	"ghostlab/lab/usage"
)

// recordable says whether a trial can be recorded with these flags.
func (f replayFlags) recordable(t journal.Trial) error {
	switch {
	case !f.record:
		return nil
	case f.times > 1:
		return usage.New(errors.New("--record runs the trial once: want no --times"), "")
	case f.hunt:
		return usage.New(errors.New("--record is for a trial that there is: want no --hunt"),
			"record the trial that the hunt finds")
	case !t.Schedule.Deterministic():
		return nil // cannot be replayed at all, and that is said elsewhere
	}
	return runner.Recordable(t)
}

// record records a trial and says if that was identical to the first execution.
func (a *app) record(t *rerun.Trial, out *progress.Output) error {
	task := out.Steps("record", 1)
	rec, e, err := t.Replayer.Record()
	task.End()
	out.Close()
	if err != nil {
		return err
	}
	if rec == nil {
		fmt.Fprintf(a.stdout, "first difference: %s\n", runner.Difference(t.Past.Trial, e))
		fmt.Fprintln(a.stdout, "not identical, nothing is kept")
		return silentError{exitDiffers}
	}
	fmt.Fprintf(a.stdout, "identical, recorded: %s, %d KiB, %.1f million instructions\n",
		journal.RecordLog(t.Past.Dir, t.Past.Trial.N), (rec.Size+1023)>>10, float64(rec.End-rec.Start)/1e6)
	return nil
}
