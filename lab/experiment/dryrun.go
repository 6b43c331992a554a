package experiment

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"ghostlab/kernels"
	"ghostlab/lab/config"
	"ghostlab/lab/journal"
	"ghostlab/lab/matrix"
	"ghostlab/lab/provision"
	"ghostlab/lab/qemu"
	"ghostlab/lab/store"
	"ghostlab/lab/toolchain"
	"ghostlab/lab/visible"
)

// DryRun says what a run would do. It makes nothing and starts no guest.
func DryRun(ctx context.Context, out io.Writer, settings config.Config, e Experiment) error {
	m, cells := e.Matrix, e.Matrix.Cells()
	if err := provision.CheckModels(ctx, settings.QEMU, m, cells, qemu.HostAccelerator()); err != nil {
		return err
	}
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	varied := m.Varied()
	for _, x := range varied {
		fmt.Fprintf(t, "%s\t", x.Name)
	}
	fmt.Fprint(t, "trials\texpected\n")
	var all span
	for _, c := range cells {
		for _, x := range varied {
			fmt.Fprintf(t, "%s\t", visible.Text(c.Or(x.Name, "-"), false))
		}
		trials := e.trials(c)
		all.least, all.most = all.least+trials.least, all.most+trials.most
		fmt.Fprintf(t, "%s\t%s\n", trials, claims(m, c))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	part := ""
	if !e.Shard.Whole() {
		part = fmt.Sprintf(" of the matrix's %d (part %s)", m.Size(), e.Shard)
	}
	fmt.Fprintf(out, "\n%d cells, %s trials%s\n", len(cells), all, part)
	if err := plannedKernels(ctx, out, settings, cells); err != nil {
		return err
	}
	if err := plannedToolchains(ctx, out, settings.Go, cells); err != nil {
		return err
	}
	guests := provision.Guests(e.Guests, settings.Jobs, m, cells, provision.Machine(settings, ""))
	fmt.Fprintf(out, "guests  %d at once\n", guests)
	_, err := fmt.Fprintf(out, "time    %s\n", estimate(settings.Runs, e, all, guests))
	return err
}

// span is a number of trials that results may decide.
type span struct{ least, most int }

func (s span) String() string { return between(fmt.Sprint(s.least), fmt.Sprint(s.most)) }

// between joins two ends, which may be the same.
func between(least, most string) string {
	if least == most {
		return most
	}
	return least + " to " + most
}

// trials are how many the experiment runs of a cell.
func (e *Experiment) trials(c matrix.Cell) span {
	least, most := e.Matrix.Stop.Range(e.Shard.Size(c.Index, e.Matrix.Trials))
	if e.Done != nil {
		least, most = max(0, least-e.Done[c.Index]), max(0, most-e.Done[c.Index])
	}
	return span{least, most}
}

// claims are what is expected of a cell.
func claims(m *matrix.Matrix, c matrix.Cell) string {
	var all []string
	for _, e := range m.Expect {
		if e.Where.Matches(c) {
			all = append(all, e.String())
		}
	}
	if all == nil {
		return "-"
	}
	return strings.Join(all, ", ")
}

func plannedKernels(ctx context.Context, out io.Writer, settings config.Config, cells []matrix.Cell) error {
	st := store.Look(settings.Cache)
	options, err := provision.KernelsOf(ctx, st, settings, cells)
	if err != nil {
		return err
	}
	first := map[string]string{} // by what will run, the series that was asked for
	for _, opt := range options {
		f, err := kernels.Locate(ctx, st, opt)
		if err != nil {
			return err
		}
		words := f.String()
		if other, ok := first[f.Ran]; ok {
			words += "; the same kernel as " + other + ": what differs between their cells is chance"
		} else if first[f.Ran] = f.Asked; !f.Built {
			words += ", to be built: 6 to 11 minutes on 2 cores"
		}
		fmt.Fprintf(out, "kernel  %s: %s\n", f.Asked, words)
	}
	return nil
}

func plannedToolchains(ctx context.Context, out io.Writer, preset string, cells []matrix.Cell) error {
	var seen []string
	for _, c := range cells {
		version := c.Or(matrix.AxisGo, preset)
		if slices.Contains(seen, version) {
			continue
		}
		seen = append(seen, version)
		ok, err := toolchain.Installed(ctx, version)
		if err != nil {
			return err
		}
		words := "installed"
		if !ok {
			words = "to be fetched as a module, about 70 MB"
		}
		fmt.Fprintf(out, "go      %s: %s\n", version, words)
	}
	return nil
}

// guestTime is what a trial of a short program takes of a guest's time on the
// host, by isolation: measured with QEMU 7.2 on 2 x86-64 cores (lab/bench).
var guestTime = map[string]time.Duration{
	matrix.Process: 31 * time.Millisecond,
	matrix.Fork:    300 * time.Millisecond,
	matrix.Boot:    640 * time.Millisecond,
}

// enoughToTell is the number of trials from which a run's pace is taken.
const enoughToTell = 10

// estimate says how long so many trials take, and how that is known.
func estimate(runs string, e Experiment, trials span, guests int) string {
	m := e.Matrix
	past, n, pace := pastPace(runs, m)
	if past != nil {
		return fmt.Sprintf("about %s for the trials: %v each, as %d trials of %s took (%s engine, isolation %s)",
			between(round(pace*time.Duration(trials.least)).String(), round(pace*time.Duration(trials.most)).String()), round(pace), n, past.ID, past.Engine, past.Isolation)
	}
	var least time.Duration
	for _, c := range m.Cells() {
		least += guestTime[m.IsolationOf(c)] * time.Duration(e.trials(c).least)
	}
	return fmt.Sprintf("unknown: no run of %s in %s; at least some %v where its trials are short (0.03 s each in a shared guest, 0.3 s in a fork, 0.64 s in a boot)",
		m.Scenario.Name, runs, round(least/time.Duration(guests)))
}

// round keeps two or three digits.
func round(d time.Duration) time.Duration {
	switch {
	case d > time.Hour:
		return d.Round(time.Minute)
	case d > 10*time.Second:
		return d.Round(time.Second)
	}
	return d.Round(time.Millisecond)
}

// pastPace is the host's time for a trial in the newest run of the scenario, one
// with the matrix's engine and isolation if there is any. The run is nil where
// there is none.
func pastPace(folder string, m *matrix.Matrix) (past *journal.Run, n int, pace time.Duration) {
	all, _ := journal.List(folder)
	runs := slices.DeleteFunc(all, func(r journal.Listed) bool {
		return r.Scenario != m.Scenario.Name || r.Search != m.Search || len(r.Sessions) > 1 // a resumed run has pauses in it
	})
	others := func(r journal.Listed) int {
		if r.Engine == m.Engine && r.Isolation == m.Isolation {
			return 0
		}
		return 1
	}
	slices.SortStableFunc(runs, func(x, y journal.Listed) int { return others(x) - others(y) })
	for _, run := range runs {
		var first, last time.Time
		n = 0
		_, err := journal.Open(run.Dir, func(t journal.Trial) {
			n++
			if first.IsZero() || t.Ended.Before(first) {
				first = t.Ended
			}
			if t.Ended.After(last) {
				last = t.Ended
			}
		})
		if err == nil && n >= enoughToTell { // a damaged run is no reason to say nothing of this one
			return run.Run, n, last.Sub(first) / time.Duration(n-1)
		}
	}
	return nil, 0, 0
}
