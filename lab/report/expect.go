package report

import (
	"ghostlab/lab/crash"
	"ghostlab/lab/journal"
	"ghostlab/lab/matrix"
	"ghostlab/lab/stat"
)

// Judgement says how one cell stands to what the matrix expects of it.
type Judgement struct {
	matrix.Expectation
	// Cell is the index in Summary.Cells. K of its N results are what the claim
	// is about.
	Cell    int            `json:"cell"`
	K       int            `json:"k"`
	N       int            `json:"n"`
	Verdict matrix.Verdict `json:"verdict"`
	// Why is what the verdict rests on, in words.
	Why string `json:"why"`
}

// ending is what trials that ended alike have in common.
type ending struct {
	cell    int
	outcome crash.Outcome
	title   string
}

func endingOf(t journal.Trial) ending { return ending{t.Cell, t.Outcome, t.Title} }

// judge returns a judgement for each expectation of a run and each cell that it
// is about. endings count the run's trials.
func judge(run *journal.Run, cells []Cell, endings map[ending]int) []Judgement {
	var out []Judgement
	for _, x := range run.Expect {
		for _, c := range run.Cells {
			if !x.Where.Matches(c) {
				continue
			}
			j := Judgement{Expectation: x, Cell: c.Index, N: cells[c.Index].N}
			for e, n := range endings {
				if e.cell == c.Index && x.Counts(e.outcome, e.title) {
					j.K += n
				}
			}
			j.Verdict, j.Why = x.Claim.Judge(j.K, j.N, stat.Wilson(j.K, j.N, level))
			out = append(out, j)
		}
	}
	return out
}

// Unmet is the number of judgements that contradict the matrix.
func (s *Summary) Unmet() int {
	n := 0
	for _, j := range s.Expect {
		if j.Verdict == matrix.Unmet {
			n++
		}
	}
	return n
}
