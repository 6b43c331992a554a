// Package live shows a run while it goes on: a grid of cells on a terminal, a
// line now and then elsewhere, an object a line for machines. It keeps counts,
// no trials: a million of them take no more memory than ten.
package live

import (
	"fmt"
	"sync"
	"time"

	"ghostlab/lab/crash"
	"ghostlab/lab/journal"
	"ghostlab/lab/matrix"
	"ghostlab/lab/progress"
)

// Plan is what is to be run.
type Plan struct {
	// Title is what the first line begins with.
	Title string
	Axes  []matrix.Axis
	Cells []matrix.Cell
	// Trials is the number of each cell, or the most that one gets, in all
	// parts of the matrix together; Shard is the one that is run.
	Trials int
	Shard  matrix.Shard
	// Stop may end a cell earlier.
	Stop matrix.Stop
	// Hunt says that trials are made to fail: their counts are no rates.
	Hunt bool
}

// View follows one run. Its methods may be called at the same time.
type View struct {
	plan Plan
	out  *progress.Output
	hide func()

	mu    sync.Mutex
	cells []cell
	start time.Time
	// ran are the trials of this process, and past those of a run that it
	// goes on with.
	ran, past int
	seen      map[string]bool
	spoke     time.Time
}

// cell is what has become of a cell's trials.
type cell struct {
	n, crashes int // n counts results
	other      int // hangs and kernel panics
	infra      int
	stopped    bool
	total      int  // that it is to have, or the most that it gets
	expected   int  // that it will have had, from what it has shown
	stale      bool // expected is
	titles     map[string]int
	top        string
}

// New shows a run on out until End.
func New(out *progress.Output, p Plan) *View {
	v := &View{plan: p, out: out, cells: make([]cell, len(p.Cells)), start: time.Now(), seen: map[string]bool{}}
	v.spoke = v.start
	for i := range v.cells {
		v.cells[i].total, v.cells[i].stale = p.Shard.Size(i, p.Trials), true
	}
	if !out.Terminal() {
		out.Printf("%s: %s", p.Title, v.size())
	}
	v.hide = out.Show(v.Lines)
	return v
}

func (v *View) size() string {
	trials := 0
	for _, c := range v.cells {
		trials += c.total
	}
	if len(v.cells) == 1 {
		return fmt.Sprintf("%d trials", trials)
	}
	return fmt.Sprintf("%d trials in %d cells", trials, len(v.cells))
}

// End takes the view off the screen.
func (v *View) End() { v.hide() }

// Past counts a trial that was run before, in a run that goes on.
func (v *View) Past(t journal.Trial) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.past++
	v.count(t)
}

// Trial counts a trial that has ended now.
func (v *View) Trial(t journal.Trial) {
	v.mu.Lock()
	v.ran++
	first := v.count(t)
	lines := v.due(t, first, time.Now())
	v.mu.Unlock()
	for _, l := range lines {
		v.out.Printf("%s", l)
	}
}

// Stopped says that a cell needs no more trials.
func (v *View) Stopped(index int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.cells[index].stopped = true
}

// mostTitles is the number of signatures that a cell keeps count of.
const mostTitles = 50

// count adds a trial to its cell, and says whether its signature is the first
// of its kind.
func (v *View) count(t journal.Trial) (first bool) {
	c := &v.cells[t.Cell]
	c.stale = true
	switch t.Outcome {
	case crash.Infra:
		c.infra++
		return false
	case crash.Pass:
		c.n++
		return false
	case crash.Crash:
		c.crashes++
	default:
		c.other++
	}
	c.n++
	if c.titles == nil {
		c.titles = map[string]int{}
	}
	if n := c.titles[t.Title]; n > 0 || len(c.titles) < mostTitles {
		c.titles[t.Title] = n + 1
		if n+1 > c.titles[c.top] || c.top == "" {
			c.top = t.Title
		}
	}
	if v.seen[t.Title] || len(v.seen) >= mostTitles {
		return false
	}
	v.seen[t.Title] = true
	return true
}

// sums returns the trials that have ended and those that there will be, as far
// as is known.
func (v *View) sums() (done, total, crashes, other, infra int) {
	for _, c := range v.cells {
		done += c.n + c.infra
		crashes += c.crashes
		other += c.other
		infra += c.infra
		if c.stopped {
			total += c.n + c.infra
		} else {
			total += c.total
		}
	}
	return done, total, crashes, other, infra
}

// left says how long the rest will take, if cells end when what they have shown
// says so. What was run before says nothing about how fast this host is.
func (v *View) left(now time.Time) string {
	rest := 0
	for i := range v.cells {
		c := &v.cells[i]
		if c.stopped {
			continue
		}
		if c.stale {
			c.expected, c.stale = v.plan.Stop.Expected(c.crashes, c.n, c.total), false
		}
		rest += max(0, c.expected-c.n-c.infra)
	}
	return progress.Left(int64(v.ran), int64(rest+v.ran), now.Sub(v.start))
}
