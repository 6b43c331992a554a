package explain

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
)

// Text prints the explanation for people.
func (e *Explanation) Text(w io.Writer, s Sources) error {
	b := &strings.Builder{}
	fmt.Fprintf(b, "%s: %s\n", e.Trial, e.Signature)
	if e.Map != nil {
		fmt.Fprintf(b, "%s\n", e.Map)
	}
	side(b, s, "the victim", e.Victim, "")
	if e.Culprit != nil {
		earlier := fmt.Sprintf(", %s instructions (%v) earlier", thousands(e.Apart), round(e.TimeApart))
		side(b, s, "the culprit", e.Culprit, earlier)
	}
	if len(e.Schedule) > 0 {
		fmt.Fprintf(b, "\nwho ran between the two\n")
		schedule(b, e.Schedule)
	}
	if len(e.Notes) > 0 {
		b.WriteByte('\n')
	}
	for _, n := range e.Notes {
		fmt.Fprintf(b, "note: %s\n", n)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func side(b *strings.Builder, s Sources, who string, side *Side, when string) {
	if side == nil {
		return
	}
	name := "a thread without a goroutine"
	if side.ID != 0 {
		name = fmt.Sprintf("goroutine %d", side.ID)
	}
	fmt.Fprintf(b, "\n%s, %s, %s%s\n", name, who, side.Did, when)
	place := side.Place(s)
	t := tabwriter.NewWriter(b, 0, 8, 2, ' ', 0)
	for i, f := range side.Stack {
		fmt.Fprintf(t, "  %s\t%s:%d\n", f.Func, f.File, f.Line)
		if i == place {
			t.Flush()
			excerpt(b, s.Excerpt(f.File, f.Line), f.Line)
		}
	}
	t.Flush()
	if side.Cut != "" {
		fmt.Fprintf(b, "  the stack ends here: %s\n", side.Cut)
	}
	if c := side.Created; c.Line != 0 {
		fmt.Fprintf(b, "  created by %s  %s:%d\n", c.Func, c.File, c.Line)
	}
}

// Place is the index of the call that the researcher wants to see: the innermost
// outside Go's own library, -1 where there is none.
func (s *Side) Place(src Sources) int {
	for i, f := range s.Stack {
		if f.Line > 0 && !src.standard(f.File) {
			return i
		}
	}
	return -1
}

func excerpt(b *strings.Builder, lines []Line, line int) {
	for _, l := range lines {
		mark := " "
		if l.N == line {
			mark = ">"
		}
		fmt.Fprintf(b, "    %s %4d  %s\n", mark, l.N, strings.ReplaceAll(l.Text, "\t", "    "))
	}
}

func schedule(b *strings.Builder, turns []Turn) {
	t := tabwriter.NewWriter(b, 0, 8, 2, ' ', tabwriter.AlignRight)
	for _, turn := range turns {
		fmt.Fprintf(t, "%s instructions\t  %s\n", thousands(turn.Instructions), turn)
	}
	t.Flush()
}

// String says in a line what is known of the map.
func (m *Map) String() string {
	b := &strings.Builder{}
	fmt.Fprintf(b, "map at %s: %d elements", m.Address, m.Count)
	if m.B != nil {
		fmt.Fprintf(b, ", %s buckets (B = %d)", thousands(1<<min(*m.B, 62)), *m.B)
	}
	if m.Growing != nil && *m.Growing {
		b.WriteString(", growing")
	}
	if m.Tables != nil {
		fmt.Fprintf(b, ", a directory of %s", thousands(int64(*m.Tables)))
	}
	if m.Writing {
		b.WriteString(", marked as being written")
	} else {
		b.WriteString(", not marked as being written")
	}
	return b.String()
}

// thousands writes a number in groups of three digits.
func thousands(n int64) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + " " + s[i:]
	}
	return s
}

// round leaves three digits or so of a duration.
func round(d time.Duration) time.Duration {
	for unit := time.Nanosecond; unit < time.Hour; unit *= 10 {
		if d < 1000*unit {
			return d.Round(unit)
		}
	}
	return d
}
