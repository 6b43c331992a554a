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
	"ghostlab/gdb/travel"
	"ghostlab/images"
	"ghostlab/lab/crash"
	"ghostlab/lab/hunt"
	"ghostlab/lab/journal"
	"ghostlab/lab/progress"
	"ghostlab/lab/report"
	"ghostlab/lab/runner"
	"ghostlab/lab/toolchain"
	"ghostlab/lab/vm"
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
	case past.hung() && past.trial.Schedule.Deterministic() && past.trial.Digest == "":
		return unrepeatable(past.trial.Trial)
	case !past.hung() && !runner.Failed(past.trial.Trial):
		return &passedError{past}
	}
	instead := ""
	if why := past.backwards(); why != nil {
		fmt.Fprintf(a.stderr, "lab: %v; searching for the same signature on one vCPU\n", why)
		if past, instead, err = a.huntAlone(ctx, past, f.limit); err != nil {
			return err
		}
	}
	t, err := a.openPast(ctx, past)
	if err != nil {
		return err
	}
	defer t.close()
	e, err := a.explainPast(ctx, t, f.limit)
	if err != nil && !as[*explain.NotFoundError](err) && !as[*explain.LateError](err) {
		return err
	}
	unexplained := err
	if instead != "" {
		e.Notes = append(e.Notes, instead)
	}
	text, err := json.MarshalIndent(e, "", "  ")
	if err == nil {
		err = journal.KeepExplanation(past.dir, past.trial.N, text)
	}
	switch {
	case err != nil:
	case f.json:
		_, err = fmt.Fprintf(a.stdout, "%s\n", text)
	default:
		err = e.Text(a.stdout, t.sources(ctx, a))
	}
	t.out.Close()
	if err == nil && unexplained != nil {
		complain(a.stderr, unexplained)
		err = silentError{exitDiffers}
	}
	return err
}

// huntAlone searches for a trial of one vCPU that ends like a past one, which
// cannot be run backwards, and says what it is in its place.
func (a *app) huntAlone(ctx context.Context, past *pastTrial, limit time.Duration) (found *pastTrial, instead string, err error) {
	m, wanted, err := a.like(ctx, past)
	if err != nil {
		return nil, "", err
	}
	h := &hunting{wanted: wanted, enough: 1, limit: limit, arms: hunt.Alone()}
	if past.hung() {
		// On a slower CPU than its own what it has to do takes longer than its time, too.
		h.arms = slices.DeleteFunc(h.arms, func(arm hunt.Arm) bool { return arm.Shift > max(past.trial.Schedule.Shift, fastShift) })
	}
	quiet := *a
	quiet.stdout = io.Discard
	dir, err := quiet.execute(ctx, experiment{matrix: m, hunt: h})
	if len(h.found) == 0 {
		if err == nil {
			fmt.Fprintf(a.stderr, "lab: the signature did not come back in %d trials of one vCPU, with %d settings of its speed and of time slices, in %v\n", h.trials, len(h.arms), limit)
			a.others(dir, wanted)
			fmt.Fprintf(a.stderr, "hint: --limit lets the search go on for longer; what needs several vCPUs at the same time never comes back on one\n")
			err = silentError{exitDiffers}
		}
		return nil, "", err
	}
	was := past.trial.Trial
	if past, err = quiet.past(fmt.Sprintf("%s/%d", dir, h.found[0].N)); err != nil {
		return nil, "", err
	}
	return past, fmt.Sprintf("trial %d (%s) cannot be run backwards: this is another trial with its signature, found in %d trials of one vCPU", was.N, was.Schedule, h.trials), nil
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

// explainPast explains a trial that can be run backwards, in so much time.
func (a *app) explainPast(ctx context.Context, t *timeline, limit time.Duration) (*explain.Explanation, error) {
	replay, err := t.open(a)
	if err != nil {
		return nil, err
	}
	defer replay.Close()
	task := t.out.Steps("explain", 1)
	defer task.End()
	limited, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	var e *explain.Explanation
	m, err := travel.Open(limited, replay, t.image.Program)
	if err == nil {
		defer m.Close()
		c := t.crash(m, replay)
		c.Tell = task.Note
		e, err = explain.Explain(limited, c)
	}
	if lost := replay.Lost(err); lost != nil {
		err = lost
	}
	return e, err
}

// crash is the one of the trial that the machine replays.
func (t *timeline) crash(m *travel.Machine, replay *vm.Replay) explain.Case {
	trial := t.past.trial.Trial
	return explain.Case{
		Machine: m, Trial: fmt.Sprintf("%s/%d", filepath.Base(t.past.dir), trial.N),
		Signature: trial.Title, Shift: trial.Schedule.Shift,
		Exit: trial.Exit, Signal: trial.Signal, Hung: t.past.hung(), Vmlinux: t.image.Kernel.Vmlinux(),
		Begun: func() (bool, error) { return replay.Begun(trial.N) },
	}
}

// timeline is a past trial that can be run again and, with one vCPU, both ways.
type timeline struct {
	past     *pastTrial
	image    *images.Image
	replayer *runner.Replayer
	out      *progress.Output
}

// hung says whether the trial did not end in its time.
func (p *pastTrial) hung() bool { return p.trial.Outcome == crash.Hang }

// backwards says whether a trial can be run backwards.
func (p *pastTrial) backwards() error {
	if err := p.again(); err != nil {
		return err
	}
	return runner.Recordable(p.trial.Trial)
}

// again says whether a trial can be run again.
func (p *pastTrial) again() error {
	if !p.trial.Schedule.Deterministic() {
		return &parallelError{p.trial}
	}
	if p.trial.Digest == "" {
		return unrepeatable(p.trial.Trial)
	}
	return nil
}

// openPast prepares a trial to be run again.
func (a *app) openPast(ctx context.Context, past *pastTrial) (*timeline, error) {
	if err := past.again(); err != nil {
		return nil, err
	}
	vm.CleanStale()
	st, out, err := a.open()
	if err != nil {
		return nil, err
	}
	t := &timeline{past: past, out: out}
	job, err := a.pastJob(ctx, past, st, out)
	if err == nil {
		t.image = job.Image[past.image()]
		t.replayer, err = runner.NewReplayer(ctx, job, past.dir, past.trial.Trial)
	}
	if err != nil {
		out.Close()
		return nil, err
	}
	return t, nil
}

func (t *timeline) close() {
	t.replayer.Close()
	t.out.Close()
}

// open starts the replay of the trial, which is recorded now if it was not yet.
func (t *timeline) open(a *app) (*vm.Replay, error) {
	replay, _, err := t.replayer.Open()
	if !as[*journal.NoRecordError](err) && !as[*runner.RecorderError](err) {
		return replay, err
	}
	task := t.out.Steps("record", 1)
	rec, e, err := t.replayer.Record()
	task.End()
	if err != nil {
		return nil, err
	}
	if rec == nil {
		fmt.Fprintf(a.stderr, "lab: first difference: %s\n", runner.Difference(t.past.trial, e))
		return nil, silentError{exitDiffers}
	}
	replay, _, err = t.replayer.Open()
	return replay, err
}

// sources finds the program's files, as far as they are to be had.
func (t *timeline) sources(ctx context.Context, a *app) explain.Sources {
	src := explain.Sources{Compiled: t.past.run.Started}
	if s, err := a.scenarioOf(t.past.run); err == nil {
		b := images.Build(s.Program(), t.past.goVersion())
		if src.Folders, src.Standard, err = toolchain.Folders(ctx, b); err != nil {
			t.out.Printf("no sources are shown: %v", err)
		}
	}
	return src
}

// passedError says that there is nothing to explain.
type passedError struct{ past *pastTrial }

func (e *passedError) Error() string {
	return fmt.Sprintf("trial %d ended with %s: it has no crash", e.past.trial.N, e.past.trial.Outcome)
}

// BadInput marks what the user can mend, see usage.IsBadInput.
func (*passedError) BadInput() {}

// Hint says what to do about it.
func (e *passedError) Hint() string {
	switch e.past.trial.Outcome {
	case crash.Hang:
		return "`lab explain` says what its goroutines waited for; they are in " + report.Near(filepath.Join(e.past.dir, "trials", fmt.Sprint(e.past.trial.N), "console.log"))
	case crash.Infra:
		return "the lab failed, not the program: " + e.past.trial.Error
	}
	return "`lab show " + e.past.run.ID + "` says which trials failed; `lab hunt` searches for one that does"
}
