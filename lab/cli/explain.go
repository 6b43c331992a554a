package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"ghostlab/gdb/explain"
	"ghostlab/lab/experiment"
	"ghostlab/lab/hunt"
	"ghostlab/lab/journal"
	"ghostlab/lab/rerun"
	"ghostlab/lab/runner"
)

type explainFlags struct {
	json  bool
	limit time.Duration
}

func (a *app) explainCommand() *cobra.Command {
	var f explainFlags
	cmd := &cobra.Command{
		Use:   "explain RUN/TRIAL",
		Short: "Find both sides of a race, by running a crash backwards",
		Long: `Record a failing trial, replay it to its crash, and run it backwards to who wrote what
the crashing goroutine met: both goroutines, their stacks and source lines, and how many
instructions lie between them. The result is kept beside the trial, in explain.json.

Maps:      the write that a "concurrent map" error speaks of.
Memory:    for a SIGSEGV, the last write to the word that held the bad address, also
           that of a system call; for memory that is gone, its munmap, mprotect or ftruncate.
Signals:   who sent the one that ended the program, or that memory was short.
Checks:    for a panic, a failed test or os.Exit, the last write to what was compared
           just before: an index, a length, a channel's state, a mutex's, your own values.
Stacks:    for a stack overflow, what calls itself and where that began, and who wrote
           the pointers that it follows round and round.
Collector: for a bad pointer or one to a free object, the last write to the word with it.
Deadlocks: what each goroutine waits for, and who has it.
Hangs:     the same, and what those that go round in a loop looked at, and who wrote it.
Others:    who ran on which thread before the end.

Only a guest with one vCPU can run backwards. For another trial the deterministic engine
is searched for one with the same signature on one vCPU, and that one is explained.

Exit codes: 0 explained, 1 not explained.`,
		Example: `  lab explain 20261124-020841-ghost-map/17
  lab explain 17                      trial 17 of the newest run
  lab explain 17 --json`,
		Args: exactly("RUN/TRIAL"),
		RunE: func(cmd *cobra.Command, args []string) error { return a.explain(cmd.Context(), args[0], f) },
	}
	cmd.Flags().BoolVar(&f.json, "json", false, "print the result as one JSON document")
	cmd.Flags().DurationVar(&f.limit, "limit", 3*time.Minute, "`time` after which the search for a trial of one vCPU gives up, and then the explanation")
	a.trustFlag(cmd.Flags())
	return cmd
}

func (a *app) explain(ctx context.Context, name string, f explainFlags) error {
	past, err := a.past(name)
	if err != nil {
		return err
	}
	switch {
	case past.Hung() && past.Trial.Schedule.Deterministic() && past.Repeats() != nil:
		return past.Repeats()
	case !past.Hung() && !runner.Failed(past.Trial.Trial):
		return &rerun.PassedError{Past: past}
	}
	instead := ""
	if why := past.Backwards(); why != nil {
		fmt.Fprintf(a.stderr, "lab: %v; searching for the same signature on one vCPU\n", why)
		if past, instead, err = a.huntAlone(ctx, past, f.limit); err != nil {
			return err
		}
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
	e, err := t.Explain(ctx, f.limit)
	if err != nil && !as[*explain.NotFoundError](err) && !as[*explain.LateError](err) {
		return err
	}
	unexplained := err
	if instead != "" {
		e.Notes = append(e.Notes, instead)
	}
	text, err := json.MarshalIndent(e, "", "  ")
	if err == nil {
		err = journal.KeepExplanation(past.Dir, past.Trial.N, text)
	}
	switch {
	case err != nil:
	case f.json:
		_, err = fmt.Fprintf(a.stdout, "%s\n", text)
	default:
		err = e.Text(a.stdout, t.Sources(ctx))
	}
	p.Out.Close()
	if err == nil && unexplained != nil {
		complain(a.stderr, unexplained)
		err = silentError{exitDiffers}
	}
	return err
}

// huntAlone searches for a trial of one vCPU that ends like a past one, which
// cannot be run backwards, and says what it is in its place.
func (a *app) huntAlone(ctx context.Context, past *rerun.Past, limit time.Duration) (found *rerun.Past, instead string, err error) {
	l, err := a.lab()
	if err != nil {
		return nil, "", err
	}
	defer l.Out.Close()
	l, m, wanted, err := l.Like(ctx, past.Run, past.Trial.Trial)
	if err != nil {
		return nil, "", err
	}
	h := &experiment.Hunt{Wanted: wanted, Enough: 1, Limit: limit, Arms: hunt.Alone()}
	if past.Hung() {
		// On a slower CPU than its own what it has to do takes longer than its time, too.
		h.Arms = slices.DeleteFunc(h.Arms, func(arm hunt.Arm) bool { return arm.Shift > max(past.Trial.Schedule.Shift, fastShift) })
	}
	quiet := *a
	quiet.stdout = io.Discard
	dir, err := quiet.execute(ctx, l, experiment.Experiment{Matrix: m, Hunt: h}, false)
	if len(h.Found) == 0 {
		if err == nil {
			fmt.Fprintf(a.stderr, "lab: the signature did not come back in %d trials of one vCPU, with %d settings of its speed and of time slices, in %v\n", h.Trials, len(h.Arms), limit)
			a.others(dir, wanted)
			fmt.Fprintf(a.stderr, "hint: --limit lets the search go on for longer; what needs several vCPUs at the same time never comes back on one\n")
			err = silentError{exitDiffers}
		}
		return nil, "", err
	}
	was := past.Trial.Trial
	if past, err = quiet.past(fmt.Sprintf("%s/%d", dir, h.Found[0].N)); err != nil {
		return nil, "", err
	}
	return past, fmt.Sprintf("trial %d (%s) cannot be run backwards: this is another trial with its signature, found in %d trials of one vCPU", was.N, was.Schedule, h.Trials), nil
}

// fastShift makes an instruction take 8 ns, which is as fast as machines of the parallel
// engine are on a common host.
const fastShift = 3

// others names trials that a hunt has met and that ended otherwise: they may have
// the same cause.
func (a *app) others(dir string, wanted func(journal.Trial) bool) {
	seen := map[string]bool{}
	_, err := journal.Open(dir, func(t journal.Trial) {
		if runner.Failed(t) && !wanted(t) && !seen[t.Title] && len(seen) < 3 {
			seen[t.Title] = true
			fmt.Fprintf(a.stderr, "lab: what failed otherwise may have the same cause: `lab explain %s/%d` (%s)\n", filepath.Base(dir), t.N, t.Title)
		}
	})
	if err != nil {
		complain(a.stderr, err)
	}
}
