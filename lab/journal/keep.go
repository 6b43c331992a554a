package journal

import "ghostlab/lab/crash"

// keeper decides of which failing trials evidence is kept, see matrix.Collect: a
// hundred thousand of one crash say no more than some hundred, and take half a
// million files.
type keeper struct {
	first int                // zero keeps all
	seen  map[int]*cellKinds // by cell
}

// cellKinds are the signatures of a cell.
type cellKinds struct {
	byTitle map[failureKind]*occurrences
	// others are the signatures beyond mostKinds, together.
	others occurrences
}

type failureKind struct {
	outcome crash.Outcome
	title   string
}

// occurrences is how often a signature was met, and the number of the next one whose
// evidence is kept.
type occurrences struct{ n, next int }

// mostKinds is the number of a cell's signatures that are told apart: where a program
// dies differently each time, evidence is bounded all the same.
const mostKinds = 100

func newKeeper(first int) *keeper { return &keeper{first: first, seen: map[int]*cellKinds{}} }

// keeps counts a trial and says whether its evidence is kept.
func (k *keeper) keeps(t Trial) bool {
	if k.first == 0 || t.Outcome == crash.Pass || t.Outcome == crash.Infra {
		return true
	}
	cell := k.seen[t.Cell]
	if cell == nil {
		cell = &cellKinds{byTitle: map[failureKind]*occurrences{}}
		k.seen[t.Cell] = cell
	}
	kind := failureKind{t.Outcome, t.Title}
	o := cell.byTitle[kind]
	switch {
	case o != nil:
	case len(cell.byTitle) < mostKinds:
		o = &occurrences{}
		cell.byTitle[kind] = o
	default:
		o = &cell.others
	}
	o.n++
	if o.n > k.first && o.n < o.next {
		return false
	}
	o.next = 2 * o.n
	return true
}

// Keeps counts a trial that is about to be appended and says whether its evidence is
// to be kept. Call it once for each.
func (f *Folder) Keeps(t Trial) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.keeper.keeps(t)
}
