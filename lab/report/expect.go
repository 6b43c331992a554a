package report

import (
	"fmt"

	"ghostlab/lab/crash"
	"ghostlab/lab/journal"
	"ghostlab/lab/matrix"
	"ghostlab/lab/visible"
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

// judge returns a judgement for each expectation of a run and each cell that it
// is about.
func (y *tally) judge(run *journal.Run, cells []Cell) []Judgement {
	var out []Judgement
	for _, x := range run.Expect {
		for _, c := range run.Cells {
			if !x.Where.Matches(c) {
				continue
			}
			j := Judgement{Expectation: x, Cell: c.Index, K: y.claimed(x, c.Index, cells[c.Index]), N: cells[c.Index].N}
			j.Verdict, j.Why = x.Claim.Judge(j.K, j.N, cells[c.Index].Method.interval(j.K, j.N))
			if x.Signature != "" && y.beyond > 0 {
				j.Verdict, j.Why = matrix.Undecided, fmt.Sprintf("the run has more than %d distinct signatures", maxSignatures)
			}
			out = append(out, j)
		}
	}
	return out
}

// claimed is how many of a cell's trials an expectation is about.
func (y *tally) claimed(x matrix.Expectation, cell int, c Cell) (k int) {
	if x.Signature == "" {
		return map[crash.Outcome]int{crash.Pass: c.Pass, crash.Crash: c.Crash, crash.Hang: c.Hang, crash.GuestPanic: c.GuestPanic}[x.Outcome]
	}
	for g, n := range y.in[cell] {
		if x.Counts(g.Outcome, g.Title) {
			k += n
		}
	}
	return k
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

// claimNotes are sentences about the expectations that are not met, the unmet
// ones first.
func (s *Summary) claimNotes() []string {
	var notes []string
	open := 0
	for _, v := range []matrix.Verdict{matrix.Unmet, matrix.Undecided} {
		for _, j := range s.Expect {
			if j.Verdict != v {
				continue
			}
			if open++; open <= maxLines {
				notes = append(notes, visible.Text(fmt.Sprintf("%s: %s, expected of %s: %s", v, j.Expectation, s.name(j.Cell), j.Why), false))
			}
		}
	}
	if open > maxLines {
		notes = append(notes, fmt.Sprintf("and %d more expectations that are not met", open-maxLines))
	}
	return notes
}

// verdicts are the worst of each cell, empty for cells of which nothing is
// expected.
func (s *Summary) verdicts() []matrix.Verdict {
	rank := map[matrix.Verdict]int{matrix.Met: 1, matrix.Undecided: 2, matrix.Unmet: 3}
	worst := make([]matrix.Verdict, len(s.Cells))
	for _, j := range s.Expect {
		if rank[j.Verdict] > rank[worst[j.Cell]] {
			worst[j.Cell] = j.Verdict
		}
	}
	return worst
}
