package report

import (
	"cmp"
	"slices"
	"sort"

	"ghostlab/lab/crash"
	"ghostlab/lab/journal"
)

// What a summary keeps of a run of any size. What is beyond is counted, and the
// reports say how much that is.
const (
	maxSignatures = 1000 // distinct signatures of a run
	maxTrials     = 20   // failing trials that are named, of each signature
	maxCauses     = 20   // distinct failures of the lab itself
	maxPlaces     = 8    // cells that are named, of each signature
)

// tally counts trials as they are read. It keeps none of them.
type tally struct {
	cells  map[int]*Cell
	kinds  map[kind]*Signature
	causes map[string]int
	// in counts each signature by cell.
	in map[int]map[*Signature]int
	// beyond counts failures whose signature came after maxSignatures others.
	beyond int
	// unkept counts failures without evidence.
	unkept int
}

// kind is what failures that are the same have in common.
type kind struct {
	outcome crash.Outcome
	title   string
}

func newTally() *tally {
	return &tally{cells: map[int]*Cell{}, kinds: map[kind]*Signature{}, causes: map[string]int{}, in: map[int]map[*Signature]int{}}
}

func (y *tally) add(t journal.Trial) {
	c := y.cells[t.Cell]
	if c == nil {
		c = &Cell{}
		y.cells[t.Cell] = c
	}
	c.count(t)
	switch t.Outcome {
	case crash.Pass:
	case crash.Infra:
		if _, known := y.causes[t.Error]; known || len(y.causes) < maxCauses {
			y.causes[t.Error]++
		}
	default:
		y.failure(t)
	}
}

func (y *tally) failure(t journal.Trial) {
	if t.Unkept {
		y.unkept++
	}
	k := kind{t.Outcome, t.Title}
	g := y.kinds[k]
	if g == nil {
		if len(y.kinds) == maxSignatures {
			y.beyond++
			return
		}
		g = &Signature{Outcome: t.Outcome, Title: t.Title}
		y.kinds[k] = g
	}
	g.Count++
	ref := TrialRef{N: t.N, Cell: t.Cell, Replays: t.Digest != "", unkept: t.Unkept}
	if len(g.Trials) < maxTrials || ref.compare(g.Trials[maxTrials-1]) < 0 {
		g.Trials = append(g.Trials, ref)
		slices.SortFunc(g.Trials, TrialRef.compare)
		g.Trials = g.Trials[:min(len(g.Trials), maxTrials)]
	}
	if y.in[t.Cell] == nil {
		y.in[t.Cell] = map[*Signature]int{}
	}
	y.in[t.Cell][g]++
}

// compare orders trials by what there is to see of them, then by number.
func (t TrialRef) compare(other TrialRef) int {
	switch {
	case t.unkept == other.unkept:
		return cmp.Compare(t.N, other.N)
	case t.unkept:
		return 1
	}
	return -1
}

func (c *Cell) count(t journal.Trial) {
	c.Time += t.Duration
	switch t.Outcome {
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

// signatures are those of the run, the most frequent first.
func (y *tally) signatures() []*Signature {
	for cell, counts := range y.in {
		for g, n := range counts {
			g.Cells++
			g.Most = append(g.Most, Place{cell, n})
		}
	}
	all := make([]*Signature, 0, len(y.kinds))
	for _, g := range y.kinds {
		slices.SortFunc(g.Most, func(a, b Place) int { return cmp.Or(b.Count-a.Count, a.Cell-b.Cell) })
		g.Most = g.Most[:min(len(g.Most), maxPlaces)]
		all = append(all, g)
	}
	sort.Slice(all, func(i, j int) bool { return before(all[i].Count, all[i].Title, all[j].Count, all[j].Title) })
	return all
}

// of are the signatures of a cell, the most frequent first.
func (y *tally) of(cell int) []Count {
	counts := make([]Count, 0, len(y.in[cell]))
	for g, n := range y.in[cell] {
		counts = append(counts, Count{g.Title, n})
	}
	return sorted(counts)
}

// failures are those of the lab itself, the most frequent first.
func (y *tally) failures() []Count {
	var counts []Count
	for cause, n := range y.causes {
		counts = append(counts, Count{cause, n})
	}
	return sorted(counts)
}

func sorted(counts []Count) []Count {
	sort.Slice(counts, func(i, j int) bool {
		return before(counts[i].Count, counts[i].Title, counts[j].Count, counts[j].Title)
	})
	return counts
}

// before is the order of everything that is counted.
func before(n int, title string, m int, other string) bool {
	return n > m || n == m && title < other
}
