// Package report says what a run found, in the forms people and programs read.
// It computes everything anew from the run's folder, and adds nothing there but
// report.html.
package report

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"ghostlab/lab/crash"
	"ghostlab/lab/hunt"
	"ghostlab/lab/journal"
	"ghostlab/lab/matrix"
	"ghostlab/lab/stat"
	"ghostlab/lab/visible"
)

// Summary is a run's result. Its JSON is what `lab show --json` prints.
type Summary struct {
	Run      string `json:"run"`
	Scenario string `json:"scenario"`
	Engine   string `json:"engine"`
	// Accelerator ran the parallel engine: tcg, kvm or hvf.
	Accelerator string `json:"accelerator,omitempty"`
	Isolation   string `json:"isolation"`
	// Search is "hunt" where trials were made to fail; Hunts are what was learnt
	// of each setting, by cell.
	Search string         `json:"search,omitempty"`
	Hunts  [][]hunt.Tally `json:"hunts,omitempty"`
	// Found are the trials that a hunt was for.
	Found   []Found          `json:"found,omitempty"`
	Kernels []journal.Kernel `json:"kernels"`
	Go      string           `json:"go"`
	QEMU    string           `json:"qemu"`
	// Verification says whether deterministic trials repeated, nil where that
	// was not checked.
	Verification *journal.Verification `json:"verification,omitempty"`
	// Unchecked is the number of deterministic trials of sessions that were ended
	// before they ran some of theirs again.
	Unchecked int `json:"unchecked,omitempty"`
	// Unkept is the number of failing trials whose evidence is not kept, as the
	// matrix's collect says.
	Unkept int `json:"unkept,omitempty"`
	// Planned is the number of trials of the matrix, or of this shard of it.
	Planned int `json:"planned"`
	// Missing trials have not run and are to: a stop rule has not ended their
	// cells.
	Missing int    `json:"missing"`
	Cells   []Cell `json:"cells"`
	// Expect says whether the matrix's expectations were met, cell by cell.
	Expect []Judgement `json:"expect,omitempty"`
	// Effects say what the crash rate depends on, axis by axis; empty in a hunt.
	// Test names the test that they rest on.
	Effects []stat.Effect `json:"effects,omitempty"`
	Test    string        `json:"test,omitempty"`
	// Signatures are those of all cells, the most frequent first, and at most
	// 1000. Beyond counts the failures with others.
	Signatures []*Signature `json:"signatures"`
	Beyond     int          `json:"beyond,omitempty"`
	// InfraCauses are what failed of the lab itself, the most frequent first,
	// and at most 20.
	InfraCauses []Count `json:"infra_causes,omitempty"`
	// MemoryOrder is that of the parallel engine; nil where vCPUs did not run at the same
	// time by TCG.
	MemoryOrder *MemoryOrder `json:"memory_order,omitempty"`
	// Limits are sentences: what the platform cannot show.
	Limits []string `json:"limits,omitempty"`

	run *journal.Run
	dir string
	// varied are the axes with more than one value.
	varied []matrix.Axis
	// uncompared says that the axes have too many values for Effects.
	uncompared bool
	// links leads from the HTML's folder to dir; empty where that is the same.
	links string
}

// Cell is the result of one cell.
type Cell struct {
	Axes map[string]string `json:"axes"`
	// N is the number of results: all trials but the infra ones.
	N          int `json:"n"`
	Pass       int `json:"pass"`
	Crash      int `json:"crash"`
	Hang       int `json:"hang"`
	GuestPanic int `json:"guest_panic"`
	// Infra counts trials that gave no result. They are in no rate.
	Infra int `json:"infra"`
	// Rate is Crash/N; Low and High are its 95 % interval, Method says which.
	// With N = 0 the rate is 0 and the interval is [0, 1]. They are nil in a
	// hunt, whose trials were made to fail.
	Rate *float64 `json:"rate"`
	Low  *float64 `json:"low"`
	High *float64 `json:"high"`
	// Wilson is the score interval, for comparisons with work that gives that one;
	// nil where results could decide the number of trials, for which it is not.
	Wilson *stat.Interval `json:"wilson,omitempty"`
	Method Method         `json:"method,omitempty"`
	// Time is the guests' time from exec to exit, of all trials together.
	Time time.Duration `json:"time"`
	// Signatures are those of everything but passes and infra, the most
	// frequent first.
	Signatures []Count `json:"signatures"`
}

// Count is how often something occurred.
type Count struct {
	Title string `json:"title"`
	Count int    `json:"count"`
}

// Signature is a kind of failure.
type Signature struct {
	Title   string        `json:"title"`
	Outcome crash.Outcome `json:"outcome"`
	Count   int           `json:"count"`
	// Cells is the number of cells in which it occurred, Most are those where it
	// did so most often, at most 8.
	Cells int     `json:"cells"`
	Most  []Place `json:"most"`
	// Trials are those with the lowest numbers, at most 20, and first those with
	// evidence.
	Trials []TrialRef `json:"trials"`
}

// Place is a cell and how often something occurred there.
type Place struct {
	Cell  int `json:"cell"`
	Count int `json:"count"`
}

// TrialRef names a trial.
type TrialRef struct {
	N    int `json:"trial"`
	Cell int `json:"cell"`
	// Replays says that `lab replay` can repeat it exactly.
	Replays bool `json:"replays"`

	unkept bool // there is no evidence
}

// Read summarises the run in dir. Its memory grows with the number of cells, not
// of trials.
func Read(dir string) (*Summary, error) {
	y := newTally()
	run, err := journal.Open(dir, y.add)
	if err != nil {
		return nil, err
	}
	s := &Summary{
		Run: run.ID, Scenario: run.Scenario, Engine: run.Engine, Isolation: run.Isolation, Accelerator: run.Guest.Accelerator, Search: run.Search, Hunts: run.Hunts,
		Kernels: run.Kernels, Go: run.Go, QEMU: run.QEMU, Verification: run.Verification,
		Unkept: y.unkept, Limits: limits(run), MemoryOrder: memoryOrder(run), run: run, dir: dir,
		Signatures: y.signatures(), Beyond: y.beyond, InfraCauses: y.failures(),
	}
	if !s.Hunted() { // whose finds are replayed
		s.Unchecked = run.Unchecked()
	}
	stopped := map[int]bool{}
	for _, e := range run.Stopped {
		stopped[e.Cell] = true
	}
	for _, cell := range run.Cells {
		c := y.cells[cell.Index]
		if c == nil {
			c = &Cell{}
		}
		c.Axes, c.Signatures = cell.Axes, y.of(cell.Index)
		s.Planned += run.Planned(cell.Index)
		missing := run.Planned(cell.Index) - c.N - c.Infra
		if !stopped[cell.Index] && !s.Hunted() {
			s.Missing += max(0, missing)
		}
		if !s.Hunted() {
			c.rates(!run.Stop.Any() && missing <= 0)
		}
		s.Cells = append(s.Cells, *c)
	}
	for _, f := range run.Found {
		s.Found = append(s.Found, Found{f, fmt.Sprintf("lab replay %s/%d", run.ID, f.Trial)})
	}
	s.varied = s.findVaried()
	if !s.Hunted() {
		s.Effects = s.effects()
	}
	s.Expect = y.judge(run, s.Cells)
	return s, nil
}

// Results and Infra are the sums over all cells.
func (s *Summary) Results() (results, infra int) {
	for _, c := range s.Cells {
		results += c.N
		infra += c.Infra
	}
	return results, infra
}

// Hunted says whether trials were chosen to fail: their counts are no rates.
func (s *Summary) Hunted() bool { return s.Search == matrix.Hunt }

// none is the value of a cell on an axis that it does not have.
const none = "-"

// on is the cell's value on an axis.
func (c Cell) on(axis string) string {
	if v, ok := c.Axes[axis]; ok {
		return v
	}
	return none
}

// findVaried finds the axes with more than one value.
func (s *Summary) findVaried() []matrix.Axis {
	var out []matrix.Axis
	for _, a := range s.run.Axes {
		if slices.ContainsFunc(s.Cells, func(c Cell) bool { return c.on(a.Name) == none }) && !slices.Contains(a.Values, none) {
			a.Values = append(slices.Clone(a.Values), none)
		}
		if len(a.Values) > 1 {
			out = append(out, a)
		}
	}
	return out
}

// fixed names the values of the other axes, in visible text.
func (s *Summary) fixed() string {
	var parts []string
	for _, a := range s.run.Axes {
		if len(a.Values) == 1 {
			parts = append(parts, a.Name+"="+a.Values[0])
		}
	}
	return visible.Text(strings.Join(parts, " "), false)
}

// name is a cell's label by the axes that vary, in visible text.
func (s *Summary) name(cell int) string {
	var parts []string
	for _, a := range s.varied {
		parts = append(parts, a.Name+"="+s.Cells[cell].on(a.Name))
	}
	if parts == nil {
		return "all trials"
	}
	return visible.Text(strings.Join(parts, " "), false)
}
