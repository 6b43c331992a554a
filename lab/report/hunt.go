package report

import (
	"fmt"
	"io"
	"text/tabwriter"
	"time"
)

// hunted writes the result of a hunt. It shows counts and no rates: the trials
// were chosen to fail, and how many did says nothing about the program.
func (s *Summary) hunted(w io.Writer) {
	fmt.Fprintf(w, "hunt    schedules were chosen to make the program fail: counts, not rates\n")
	for i, c := range s.Cells {
		fmt.Fprintln(w)
		if varied := s.varied(); len(varied) > 0 {
			for _, a := range varied {
				fmt.Fprintf(w, "%s=%s ", a.Name, c.Axes[a.Name])
			}
			fmt.Fprintln(w)
		}
		t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
		fmt.Fprintln(t, "schedule\ttrials\tfound\ttime")
		if i < len(s.Hunts) {
			for _, a := range s.Hunts[i] {
				if a.Trials > 0 {
					fmt.Fprintf(t, "%s\t%d\t%d\t%v\n", a.Arm, a.Trials, a.Found, a.Spent.Round(100*time.Millisecond))
				}
			}
		}
		t.Flush()
		fmt.Fprintf(w, "in all %d trials: %d crashes, %d hangs, %d panics, %d infra\n", c.N, c.Crash, c.Hang, c.GuestPanic, c.Infra)
		for _, g := range c.Signatures {
			fmt.Fprintf(w, "%6d  %s\n", g.Count, g.Title)
		}
	}
}
