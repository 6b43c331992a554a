package report

import (
	"fmt"
	"io"
	"time"

	"ghostlab/lab/hunt"
	"ghostlab/lab/journal"
)

// Found is a trial that a hunt was for, and the command that repeats it.
type Found struct {
	journal.Found
	Replay string `json:"replay"`
}

// hunted writes the result of a hunt. It shows counts and no rates: the trials
// were chosen to fail, and how many did says nothing about the program.
func (s *Summary) hunted(w io.Writer, on screen) {
	fmt.Fprintln(w, "hunt    schedules were chosen to make the program fail: counts, not rates")
	for i, c := range s.Cells {
		fmt.Fprintln(w)
		if len(s.varied) > 0 {
			fmt.Fprintln(w, s.name(i))
		}
		arms := s.arms(i)
		t := &table{rows: len(arms)}
		t.column("schedule", func(i int) (string, style) { return arms[i].Arm.String(), normal })
		t.number("trials", func(i int) (string, style) { return fmt.Sprint(arms[i].Trials), normal })
		t.number("found", func(i int) (string, style) { return fmt.Sprint(arms[i].Found), strong })
		t.number("time", func(i int) (string, style) { return arms[i].Spent.String(), normal })
		t.write(w, on)
		fmt.Fprintln(w, c.hunted())
	}
}

// arms are the settings that a hunt has tried in a cell.
func (s *Summary) arms(cell int) []hunt.Tally {
	var tried []hunt.Tally
	if cell < len(s.Hunts) {
		for _, a := range s.Hunts[cell] {
			if a.Trials > 0 {
				a.Spent = a.Spent.Round(100 * time.Millisecond)
				tried = append(tried, a)
			}
		}
	}
	return tried
}

func (c Cell) hunted() string {
	return fmt.Sprintf("in all %d trials: %d crashes, %d hangs, %d panics, %d infra", c.N, c.Crash, c.Hang, c.GuestPanic, c.Infra)
}
