// Package report says what a run found, in the forms people and programs read.
// It computes everything anew from the run's folder and changes nothing there.
package report

import (
	"sort"

	"ghostlab/lab/crash"
	"ghostlab/lab/hunt"
	"ghostlab/lab/journal"
	"ghostlab/lab/matrix"
	"ghostlab/lab/stat"
)

// level of all intervals.
const level = 0.95

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
	Kernel journal.Kernel `json:"kernel"`
	Go     string         `json:"go"`
	QEMU   string         `json:"qemu"`
	// Verification says whether deterministic trials repeated, nil where that
	// was not checked.
	Verification *journal.Verification `json:"verification,omitempty"`
	// Planned is the number of trials of the matrix.
	Planned int    `json:"planned"`
	Cells   []Cell `json:"cells"`
	// Expect says whether the matrix's expectations were met, cell by cell.
	Expect []Judgement `json:"expect,omitempty"`

	axes []matrix.Axis
	dir  string
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
	// Rate is Crash/N; Low and High are its 95 % Wilson interval. With N = 0
	// the rate is 0 and the interval is [0, 1]. They are nil in a hunt, whose
	// trials were made to fail.
	Rate *float64 `json:"rate"`
	Low  *float64 `json:"low"`
	High *float64 `json:"high"`
	// Signatures are those of everything but passes and infra, the most
	// frequent first.
	Signatures []Signature `json:"signatures"`
}

// Signature is a kind of failure and how often it occurred.
type Signature struct {
	Title string `json:"title"`
	Count int    `json:"count"`
}

// Read summarises the run in dir.
func Read(dir string) (*Summary, error) {
	counts := map[int]*Cell{}
	titles := map[int]map[string]int{}
	endings := map[ending]int{}
	run, err := journal.Open(dir, func(t journal.Trial) {
		c := counts[t.Cell]
		if c == nil {
			c = &Cell{}
			counts[t.Cell], titles[t.Cell] = c, map[string]int{}
		}
		c.count(t.Outcome)
		endings[endingOf(t)]++
		if t.Title != "" && t.Outcome != crash.Infra {
			titles[t.Cell][t.Title]++
		}
	})
	if err != nil {
		return nil, err
	}
	s := &Summary{
		Run: run.ID, Scenario: run.Scenario, Engine: run.Engine, Isolation: run.Isolation, Accelerator: run.Guest.Accelerator, Search: run.Search, Hunts: run.Hunts,
		Kernel: run.Kernel, Go: run.Go, QEMU: run.QEMU, Verification: run.Verification,
		Planned: run.Trials * len(run.Cells), axes: run.Axes, dir: dir,
	}
	for _, cell := range run.Cells {
		c := counts[cell.Index]
		if c == nil {
			c = &Cell{}
		}
		c.Axes = cell.Axes
		c.finish(titles[cell.Index])
		if run.Search == "" {
			c.rates()
		}
		s.Cells = append(s.Cells, *c)
	}
	s.Expect = judge(run, s.Cells, endings)
	return s, nil
}

func (c *Cell) count(o crash.Outcome) {
	switch o {
	case crash.Infra:
		c.Infra++
		return
	case crash.Pass:
		c.Pass++
	case crash.Crash:
		c.Crash++
	case crash.Hang:
		c.Hang++
	case crash.GuestPanic:
		c.GuestPanic++
	}
	c.N++
}

func (c *Cell) rates() {
	rate := 0.0
	if c.N > 0 {
		rate = float64(c.Crash) / float64(c.N)
	}
	i := stat.Wilson(c.Crash, c.N, level)
	c.Rate, c.Low, c.High = &rate, &i.Low, &i.High
}

func (c *Cell) finish(titles map[string]int) {
	c.Signatures = []Signature{}
	for title, n := range titles {
		c.Signatures = append(c.Signatures, Signature{title, n})
	}
	sort.Slice(c.Signatures, func(i, j int) bool {
		a, b := c.Signatures[i], c.Signatures[j]
		return a.Count > b.Count || a.Count == b.Count && a.Title < b.Title
	})
}

// Results and Infra are the sums over all cells.
func (s *Summary) Results() (results, infra int) {
	for _, c := range s.Cells {
		results += c.N
		infra += c.Infra
	}
	return results, infra
}
