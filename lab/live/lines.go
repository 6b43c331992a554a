package live

import (
	"fmt"
	"strings"
	"time"

	"ghostlab/lab/journal"
)

const (
	// A line comes after a tenth of the time that the run has taken so far,
	// within these limits: an hour's log has some 90.
	leastPause = 5 * time.Second
	mostPause  = time.Minute
)

// due returns what is to be said after a trial where there is no terminal: the
// first failure of its kind, and from time to time how far the run is.
func (v *View) due(t journal.Trial, first bool, now time.Time) (lines []string) {
	if v.out.Terminal() {
		return nil
	}
	if first {
		place := ""
		if len(v.plan.Axes) > 0 {
			place = v.plan.Cells[t.Cell].Label(v.plan.Axes) + ": "
		}
		lines = append(lines, fmt.Sprintf("first of its kind: %s%s, %s (trial %d)", place, t.Outcome, t.Title, t.N))
	}
	pause := min(max(now.Sub(v.start)/10, leastPause), mostPause)
	if now.Sub(v.spoke) >= pause {
		v.spoke = now
		lines = append(lines, v.state(now))
	}
	return lines
}

// state is the whole run in a line.
func (v *View) state(now time.Time) string {
	done, total, crashes, other, infra := v.sums()
	parts := []string{fmt.Sprintf("%d/%d trials", done, total), plural(crashes, "crash", "crashes")}
	if other > 0 {
		parts = append(parts, plural(other, "hang or panic", "hangs or panics"))
	}
	if infra > 0 {
		parts = append(parts, fmt.Sprintf("%d without a result", infra))
	}
	if left := v.left(now); left != "" {
		parts = append(parts, left)
	}
	return v.plan.Title + ": " + strings.Join(parts, ", ")
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
