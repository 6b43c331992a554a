package journal

import (
	"fmt"

	"ghostlab/lab/crash"
	"ghostlab/lab/matrix"
	"ghostlab/lab/stat"
)

// Stopped is a cell that the matrix's stop rule has ended: the trials that it
// still lacks are not run. What had begun by then has its record too.
type Stopped struct {
	Cell int `json:"cell"`
	// Trials is the number of its results by then, Crashes that of crashes.
	Trials  int `json:"trials"`
	Crashes int `json:"crashes"`
	// Why is the rule in words.
	Why string `json:"why"`
}

// stopper applies a stop rule to trials in the order in which they ended. Which
// cells have stopped follows from the journal alone.
type stopper struct {
	rule   matrix.Stop
	counts map[int]stat.Count // by cell
	ended  map[int]Stopped
}

func newStopper(run Run) *stopper {
	s := &stopper{rule: run.Stop, counts: map[int]stat.Count{}, ended: map[int]Stopped{}}
	for _, e := range run.Stopped {
		s.ended[e.Cell] = e
	}
	return s
}

// add counts a trial and says whether it has stopped its cell.
func (s *stopper) add(t Trial) (Stopped, bool) {
	if _, ended := s.ended[t.Cell]; ended || !s.rule.Any() || t.Outcome == crash.Infra {
		return Stopped{}, false
	}
	c := s.counts[t.Cell]
	c.N++
	if t.Outcome == crash.Crash {
		c.K++
	}
	s.counts[t.Cell] = c
	e := Stopped{Cell: t.Cell, Trials: c.N, Crashes: c.K}
	switch {
	case s.rule.Ends(t.Outcome):
		e.Why = fmt.Sprintf("first %s", t.Outcome)
	case stat.Stop{Width: s.rule.Width}.Met(c.K, c.N):
		e.Why = fmt.Sprintf("interval at most %g wide", s.rule.Width)
	default:
		return Stopped{}, false
	}
	s.ended[t.Cell] = e
	return e, true
}

// stop counts a trial that has been written. The caller holds the lock.
func (f *Folder) stop(t Trial) error {
	e, ended := f.stopper.add(t)
	if !ended {
		return nil
	}
	f.run.Stopped = append(f.run.Stopped, e)
	return f.save()
}

// Stopped says whether the matrix's stop rule has ended a cell.
func (f *Folder) Stopped(cell int) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	_, ended := f.stopper.ended[cell]
	return ended
}
