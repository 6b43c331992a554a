package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"ghostlab/lab/journal"
	"ghostlab/lab/progress"
	"ghostlab/lab/rerun"
	"ghostlab/lab/runner"
	"ghostlab/lab/usage"
	"ghostlab/lab/visible"
)

type replayFlags struct {
	times, guests int
	hunt, record  bool
	gdb, batch    bool
	gdbScript     string
	limit         time.Duration
}

func (a *app) replayCommand() *cobra.Command {
	var f replayFlags
	cmd := &cobra.Command{
		Use:   "replay RUN/TRIAL",
		Short: "Run a deterministic trial again, and say if it was identical",
		Long: `Run a trial of the deterministic engine again from its record: the same image, the
same schedule, so the same instructions. It is identical when outcome, duration and
each byte that the guest showed, with its time stamps, are the same.

With --gdb a gdb is started on the trial, stopped at its crash, or at its beginning
where it has none; reverse-stepi, reverse-continue and watchpoints work, for the trial
is recorded first. A guest with several vCPUs is held at its crash, in another run of it,
and goes forwards only. Once it has ended it stands there until gdb leaves. --gdb-script has gdb carry out a file of its commands, with
--batch without a prompt: then gdb's exit code is lab's.

With --record a log of the execution is kept beside the trial, trials/<n>/record/log,
with which a debugger can run it backwards. That takes a guest with one vCPU.

A trial of the parallel engine does not repeat. With --hunt the deterministic engine's
schedules are searched for one that ends with the same signature.`,
		Example: `  lab replay 20261124-020841-ghost-map/17
  lab replay 17                       trial 17 of the newest run
  lab replay 17 --times 1000
  lab replay 17 --record
  lab replay 17 --gdb
  lab replay 17 --gdb-script questions.gdb --batch
  lab replay 17 --hunt                a parallel trial: the nearest that repeats`,
		Args: exactly("RUN/TRIAL"),
		RunE: func(cmd *cobra.Command, args []string) error { return a.replay(cmd.Context(), args[0], f) },
	}
	cmd.Flags().IntVar(&f.times, "times", 1, "`number` of times to run it")
	cmd.Flags().IntVarP(&f.guests, "guests", "j", 0, "`number` of guests at once (default: what the cores and the memory allow)")
	cmd.Flags().BoolVar(&f.record, "record", false, "keep a log with which the trial can be run backwards")
	cmd.Flags().BoolVar(&f.hunt, "hunt", false, "for a trial that cannot be replayed: search for one that can, with the same signature")
	cmd.Flags().BoolVar(&f.gdb, "gdb", false, "start gdb on the trial, which can go backwards from its crash")
	cmd.Flags().StringVar(&f.gdbScript, "gdb-script", "", "a `file` of commands for that gdb")
	cmd.Flags().BoolVar(&f.batch, "batch", false, "end gdb after its script")
	cmd.Flags().DurationVar(&f.limit, "limit", 10*time.Minute, "`time` after which the hunt gives up")
	a.trustFlag(cmd.Flags())
	return cmd
}

func (a *app) replay(ctx context.Context, name string, f replayFlags) error {
	if f.times < 1 {
		return usage.New(fmt.Errorf("--times: want at least 1, got %d", f.times), "")
	}
	past, err := a.past(name)
	if err != nil {
		return err
	}
	if f.gdb || f.gdbScript != "" || f.batch {
		return a.replayGDB(ctx, past, f)
	}
	if err := f.recordable(past.Trial.Trial); err != nil {
		return err
	}
	if f.hunt && !past.Trial.Schedule.Deterministic() {
		return a.huntFor(ctx, past, f)
	}
	p, err := a.provider()
	if err != nil {
		return err
	}
	defer p.Out.Close()
	t, err := rerun.Open(ctx, p, past)
	if err != nil {
		return err
	}
	defer t.Close()
	fmt.Fprintf(a.stdout, "trial %d of %s: %s (%s)\n", past.Trial.N, past.Run.ID, visible.Text(describe(past.Trial.Trial), false), past.Trial.Schedule)
	if f.record {
		return a.record(t, p.Out)
	}
	return a.repeat(ctx, t, f, p.Out)
}

// repeat runs the trial some times and says how many were identical.
func (a *app) repeat(ctx context.Context, t *rerun.Trial, f replayFlags, out *progress.Output) error {
	done, identical, difference := 0, 0, ""
	task := out.Steps("replay", int64(f.times))
	err := t.Replayer.Times(f.times, t.Guests(f.guests), func(e runner.Execution) bool {
		done++
		if d := runner.Difference(t.Past.Trial, e); d == "" {
			identical++
		} else if difference == "" {
			difference = d
		}
		task.Note(fmt.Sprintf("%d identical", identical))
		task.Add(1)
		return ctx.Err() == nil
	})
	task.End()
	out.Close()
	if difference != "" {
		fmt.Fprintf(a.stdout, "first difference: %s\n", difference)
	}
	if done > 0 {
		fmt.Fprintf(a.stdout, "identical %d/%d\n", identical, done)
	}
	switch {
	case err != nil:
		return err
	case identical < f.times:
		return silentError{exitDiffers}
	}
	return nil
}

func describe(t journal.Trial) string {
	if t.Title == "" {
		return string(t.Outcome)
	}
	return fmt.Sprintf("%s, %s", t.Outcome, t.Title)
}
