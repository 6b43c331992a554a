package cli

import (
	"fmt"
	"io"
	"path/filepath"
	"regexp"
	"sort"
	"strings"

	"al.essio.dev/pkg/shellescape"
	"github.com/spf13/cobra"

	"ghostlab/lab/crash"
	"ghostlab/lab/experiment"
	"ghostlab/lab/journal"
	"ghostlab/lab/matrix"
	"ghostlab/lab/report"
	"ghostlab/scenarios"
)

// mostSaid is the number of cells that the verdict has a sentence for.
const mostSaid = 4

// verdict says in words what a tried package did, and what to type next. It
// returns the exit code 1 where something failed.
func (a *app) verdict(cmd *cobra.Command, dir string, p scenarios.Program, asJSON bool) error {
	w := a.stdout
	if asJSON {
		w = io.Discard
	}
	s, err := report.Read(dir)
	if err != nil {
		return err
	}
	var first *journal.Trial
	run, err := journal.Open(dir, func(t journal.Trial) {
		failed := t.Outcome != crash.Pass && t.Outcome != crash.Infra
		// A crash says more than a hang.
		if failed && (first == nil || first.Outcome != crash.Crash && t.Outcome == crash.Crash) {
			first = &t
		}
	})
	if err != nil {
		return err
	}
	fmt.Fprintln(w)
	cells := s.Cells
	sort.SliceStable(cells, func(i, j int) bool { return failures(cells[i]) > failures(cells[j]) })
	for _, c := range cells[:min(mostSaid, len(cells))] {
		fmt.Fprintln(w, sentence(subject(p), c, run))
	}
	if more := len(cells) - mostSaid; more > 0 {
		fmt.Fprintf(w, "and %d more cells, none of which failed more often\n", more)
	}
	if first == nil && cmd.Name() != "try" {
		return nil // a resumed run, whose command line cannot be varied
	}
	fmt.Fprintln(w)
	next := func(what, command string) { fmt.Fprintf(w, "%-26s %s\n", what, command) }
	if first == nil {
		changed := cmd.Flags().Changed
		switch {
		case changed("engine") || changed("isolation") || changed("vcpus") || changed("set"):
			// A hunt may refuse them.
		case changed("trials"):
			next("search for a failure:", a.again(fmt.Sprint("--hunt -n ", experiment.MostHunted)))
		default:
			next("search for a failure:", a.again("--hunt"))
		}
		if run.Engine == matrix.Parallel {
			next("trials that repeat:", a.again("--engine deterministic"))
		}
		return nil
	}
	trial := fmt.Sprintf("%s/%d", run.ID, first.N)
	next("what it printed:", filepath.Join(journal.TrialDir(report.Near(dir), first.N), "console.log"))
	if first.Schedule.Deterministic() {
		next("again, exactly:", "lab replay "+trial)
	} else {
		next("one that repeats exactly:", "lab replay --hunt "+trial)
	}
	next("why:", "lab explain "+trial)
	return silentError{exitDiffers}
}

// testRun begins the argument of a test program that says which tests to run.
const testRun = "-test.run="

var plainTest = regexp.MustCompile(`^\^?([A-Za-z0-9_]+(?:/[A-Za-z0-9_]+)*)\$?$`)

// subject is what was tried, for the beginning of a sentence.
func subject(p scenarios.Program) string {
	tests := ""
	for _, arg := range p.Args {
		if expression, ok := strings.CutPrefix(arg, testRun); ok && p.Tests {
			tests = expression
			break
		}
	}
	switch m := plainTest.FindStringSubmatch(tests); {
	case m != nil:
		return m[1]
	case p.Tests:
		return "tests of " + p.ImportPath
	}
	return p.ImportPath
}

func failures(c report.Cell) int { return c.Crash + c.Hang + c.GuestPanic }

// sentence says what one cell showed.
func sentence(subject string, c report.Cell, run *journal.Run) string {
	goVersion, where := run.Go, []string{"arm64"}
	for _, axis := range run.Axes {
		switch v := c.Axes[axis.Name]; axis.Name {
		case matrix.AxisGo:
			goVersion = v
		default:
			where = append(where, axis.Name+"="+v)
		}
	}
	on := " on " + strings.Join(where, ", ") + " with go" + goVersion
	switch {
	case c.N == 0:
		return subject + " gave no result" + on
	case failures(c) == 0:
		return fmt.Sprintf("%s did not fail in %d%s (95 %% interval of its rate: %s)", subject, c.N, on, interval(c))
	}
	how := []string{fmt.Sprintf("%s failed in %d of %d (95 %% interval %s)", subject, c.Crash, c.N, interval(c))}
	if c.Hang > 0 {
		how = append(how, fmt.Sprintf("hung in %d", c.Hang))
	}
	if c.GuestPanic > 0 {
		how = append(how, fmt.Sprintf("took the kernel along in %d", c.GuestPanic))
	}
	return strings.Join(how, ", ") + on
}

func interval(c report.Cell) string {
	return fmt.Sprintf("%.1f %% to %.1f %%", 100**c.Low, 100**c.High)
}

// again is the command line, with more words in it.
func (a *app) again(words string) string {
	args := a.args
	rest := ""
	for i, arg := range args {
		if arg == "--" {
			args, rest = args[:i], " "+shellescape.QuoteCommand(args[i:])
			break
		}
	}
	return "lab " + shellescape.QuoteCommand(args) + " " + words + rest
}
