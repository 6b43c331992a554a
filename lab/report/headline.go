package report

import (
	"fmt"
	"strings"

	"ghostlab/lab/stat"
	"ghostlab/lab/visible"
)

// Headline is the result in a sentence or two: how often, and what it depends on.
func (s *Summary) Headline() string { return strings.TrimSpace(s.HowOften() + " " + s.Dependence()) }

// HowOften pools no rates of different cells.
func (s *Summary) HowOften() string {
	results, infra := s.Results()
	all := Cell{
		Crash: total(s.Cells, func(c Cell) int { return c.Crash }),
		Hang:  total(s.Cells, func(c Cell) int { return c.Hang }), GuestPanic: total(s.Cells, func(c Cell) int { return c.GuestPanic }),
	}
	crashes, others := all.Crash, ""
	if o := all.otherFailures(); o != nil {
		others = " (and " + enumerate(o) + ")"
	}
	switch {
	case s.Hunted():
		return fmt.Sprintf("A hunt of %s found %s%s.", plural(results, "trial"), plural(crashes, "crash"), others)
	case results == 0 && infra > 0:
		return fmt.Sprintf("No trial gave a result: %s failed in the lab's own machinery.", plural(infra, "trial"))
	case results == 0:
		return "No trial has run."
	case crashes == 0:
		return fmt.Sprintf("No crash in %s%s%s.", plural(results, "trial"), others, s.excluded())
	}
	worst, in := 0, 0
	for i, c := range s.Cells {
		if c.Crash > 0 {
			in++
			if w := s.Cells[worst]; w.Crash == 0 || *c.Low > *w.Low {
				worst = i
			}
		}
	}
	text := fmt.Sprintf("%s in %s%s", plural(crashes, "crash"), plural(results, "trial"), others)
	if len(s.Cells) > 1 {
		w := s.Cells[worst]
		text += fmt.Sprintf(", in %d of %s; most often with %s: %d of %d", in, plural(len(s.Cells), "cell"), s.name(worst), w.Crash, w.N)
	}
	return text + "."
}

// Dependence names the axes by what the run shows of them; empty where that is
// nothing.
func (s *Summary) Dependence() string {
	axes := map[stat.Verdict][]string{}
	for _, e := range s.Effects {
		axes[e.Verdict] = append(axes[e.Verdict], e.Axis)
	}
	var parts []string
	for _, v := range []struct {
		stat.Verdict
		words string
	}{
		{stat.Matters, "it depends on "},
		{stat.NoEffect, "no effect is shown of "},
		{stat.TooFew, "too few trials to say of "},
	} {
		if names := axes[v.Verdict]; names != nil {
			parts = append(parts, v.words+enumerate(names))
		}
	}
	text := strings.Join(parts, "; ")
	if text == "" {
		return ""
	}
	return visible.Text(strings.ToUpper(text[:1])+text[1:]+".", false)
}

func enumerate(names []string) string {
	if last := len(names) - 1; last > 0 {
		return strings.Join(names[:last], ", ") + " and " + names[last]
	}
	return names[0]
}

// otherFailures names hangs and panics, which are no crashes.
func (c *Cell) otherFailures() []string {
	var out []string
	if c.Hang > 0 {
		out = append(out, plural(c.Hang, "hang"))
	}
	if c.GuestPanic > 0 {
		out = append(out, plural(c.GuestPanic, "guest panic"))
	}
	return out
}

// excluded says which rates no crash speaks against.
func (s *Summary) excluded() string {
	high := 0.0
	for _, c := range s.Cells {
		high = max(high, *c.High)
	}
	if high >= 1 {
		return ""
	}
	return fmt.Sprintf(", which speaks against rates above %s only", percent(high))
}

func plural(n int, noun string) string {
	switch {
	case n == 1:
	case strings.HasSuffix(noun, "sh"):
		noun += "es"
	default:
		noun += "s"
	}
	return fmt.Sprintf("%d %s", n, noun)
}
