package journal

import (
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"

	"ghostlab/lab/crash"
	"ghostlab/lab/matrix"
	"ghostlab/lab/toolchain"
	"ghostlab/scenarios"
)

// valid says what is wrong with a run.json that no lab has written. Run folders
// travel between hosts: the rest of lab relies on what is checked here. What is empty
// passes, as in a run that an older lab has made.
func (r *Run) valid() error {
	for _, name := range []string{r.ID, r.Scenario} { // they become names of folders
		if strings.ContainsFunc(name, unicode.IsControl) {
			return fmt.Errorf("id, scenario: want a name without control characters, got %q", name)
		}
		if name != "" && (!filepath.IsLocal(name) || filepath.Base(name) != name || name == ".") {
			return fmt.Errorf("id, scenario: want a folder's name without its path, got %q", name)
		}
	}
	switch cells := len(r.Cells); {
	case r.Trials < 0 || r.Trials > matrix.Limit/max(cells, 1):
		return fmt.Errorf("trials: want 0 to %d in all cells together, got %d in each of %d", matrix.Limit, r.Trials, cells)
	case len(r.Commands) != cells:
		return fmt.Errorf("commands: want one for each of %d cells, got %d", cells, len(r.Commands))
	case cells > 0 && len(r.Kernels) == 0:
		return errors.New("kernels: want at least one")
	case !r.Shard.Whole() && (r.Shard.Index < 1 || r.Shard.Index > r.Shard.Of):
		return fmt.Errorf("shard: want part 1 to %d, got %d", r.Shard.Of, r.Shard.Index)
	case r.Shift < 0 || r.Shift > matrix.MaxShift:
		return fmt.Errorf("shift: want 0 to %d, got %d", matrix.MaxShift, r.Shift)
	case r.Timeout < 0 || r.Timeout > longestTimeout:
		return fmt.Errorf("timeout: want at most %v, got %v", longestTimeout, r.Timeout)
	case r.Search != "" && r.Search != matrix.Hunt:
		return fmt.Errorf("search: want %s, got %q", matrix.Hunt, r.Search)
	case len(r.Expect) > mostClaims || len(r.Kernels) > mostClaims || len(r.Axes) > mostClaims:
		return fmt.Errorf("expect, kernels, axes: want at most %d of each, got %d, %d, %d", mostClaims, len(r.Expect), len(r.Kernels), len(r.Axes))
	case len(r.Hunts) > len(r.Cells):
		return fmt.Errorf("hunts: want one for each of %d cells, got %d", len(r.Cells), len(r.Hunts))
	case r.Collect.Passes < 0 || r.Collect.Failures < 0:
		return fmt.Errorf("collect: want no negative number, got %d and %d", r.Collect.Passes, r.Collect.Failures)
	}
	for _, e := range r.Stopped {
		if e.Cell < 0 || e.Cell >= len(r.Cells) {
			return fmt.Errorf("stopped: cell %d of %d", e.Cell, len(r.Cells))
		}
	}
	return errors.Join(r.validCells(), r.validGuest(), r.validKernels(), validProgram(r.Own))
}

// mostClaims is far more than any matrix has: each is compared with each cell.
const mostClaims = 10_000

// longestTimeout is some 300 times the longest that a test of a Go package has by
// default, and far from where sums of durations would overflow.
const longestTimeout = 2000 * time.Hour

// validCells checks the values of the lab's own axes: they name toolchains and
// kernels, and become arguments of QEMU.
func (r *Run) validCells() error {
	for _, x := range r.Axes {
		if strings.ContainsFunc(x.Name, unicode.IsControl) {
			return fmt.Errorf("axes: want a name without control characters, got %q", x.Name)
		}
	}
	for i, c := range r.Cells {
		if c.Index != i {
			return fmt.Errorf("cells: want index %d, got %d", i, c.Index)
		}
		for name, value := range c.Axes {
			if err := matrix.CheckAxis(name, value); err != nil {
				return fmt.Errorf("cells: axis %q: %w", name, err)
			}
		}
	}
	return nil
}

// validGuest checks what holds where no axis says otherwise.
func (r *Run) validGuest() error {
	for _, x := range []struct{ axis, value string }{
		{matrix.AxisGo, r.Go}, {matrix.AxisEngine, r.Engine}, {matrix.AxisIsolation, r.Isolation}, {matrix.AxisCPU, r.Guest.CPU},
	} {
		if x.value == "" {
			continue
		}
		if err := matrix.CheckAxis(x.axis, x.value); err != nil {
			return fmt.Errorf("%s: %w", x.axis, err)
		}
	}
	switch g := r.Guest; {
	case g.VCPUs < 0 || g.VCPUs > matrix.MaxVCPUs:
		return fmt.Errorf("guest: want 1 to %d vCPUs, got %d", matrix.MaxVCPUs, g.VCPUs)
	case g.Memory != 0 && (g.Memory < matrix.MinMemory || g.Memory > matrix.MaxMemory):
		return fmt.Errorf("guest: want %d to %d MiB of memory, got %d", matrix.MinMemory, matrix.MaxMemory, g.Memory)
	}
	return nil
}

// series is the form of a kernel's, also of one that this lab has no definition of.
var series = regexp.MustCompile(`^[0-9]{1,3}\.[0-9]{1,3}$`)

func (r *Run) validKernels() error {
	for _, k := range r.Kernels {
		if k.Asked != "" && !series.MatchString(k.Asked) {
			return fmt.Errorf("kernels: want a series such as 6.1, got %q", k.Asked)
		}
	}
	for name, m := range r.Images {
		if err := m.Artefacts.Check(); err != nil {
			return fmt.Errorf("images: %q: %w", name, err)
		}
	}
	return nil
}

// validProgram checks what the go command would be told.
func validProgram(p *scenarios.Program) error {
	if p == nil {
		return nil
	}
	for _, name := range []string{p.Package, p.ImportPath, p.Tags} {
		if toolchain.CheckPackage(name) != nil || strings.ContainsFunc(name, unicode.IsControl) {
			return fmt.Errorf("own: want the name of a package and build tags, got %q", name)
		}
	}
	return nil
}

// outcomes are those that a trial can have.
var outcomes = []crash.Outcome{crash.Pass, crash.Crash, crash.Hang, crash.GuestPanic, crash.Infra}

// mostVMs is far more than the guests of any run, and little enough to be added up.
const mostVMs = 1 << 48

// check says what is wrong with a trial that is none of the run's.
func (r *Run) check(t Trial) error {
	switch most := r.Trials * len(r.Cells); {
	case t.Cell < 0 || t.Cell >= len(r.Cells):
		return fmt.Errorf("cell %d of %d", t.Cell, len(r.Cells))
	case t.N < 1 || t.N > most:
		return fmt.Errorf("trial %d of %d", t.N, most)
	case t.Outcome == "":
		return fmt.Errorf("trial %d has no outcome", t.N)
	case !slices.Contains(outcomes, t.Outcome):
		return fmt.Errorf("trial %d: unknown outcome %q", t.N, t.Outcome)
	case t.VM < 0 || t.VM > mostVMs:
		return fmt.Errorf("trial %d: guest %d", t.N, t.VM)
	case t.Schedule.Shift > matrix.MaxShift:
		return fmt.Errorf("trial %d: shift %d of %d", t.N, t.Schedule.Shift, matrix.MaxShift)
	case t.Schedule.VCPUs < 0 || t.Schedule.VCPUs > matrix.MaxVCPUs:
		return fmt.Errorf("trial %d: %d vCPUs of %d", t.N, t.Schedule.VCPUs, matrix.MaxVCPUs)
	case t.Duration < 0 || t.Duration > longestTimeout:
		return fmt.Errorf("trial %d: duration %v", t.N, t.Duration)
	}
	return nil
}
