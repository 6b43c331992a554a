package stat

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
)

// conclude gives the verdict and puts it in words.
func (e *Effect) conclude(o Options) {
	e.P = 1
	for _, c := range e.Comparisons {
		e.Excluded = math.Max(e.Excluded, c.Excluded())
		e.P = math.Min(e.P, c.least())
	}
	switch {
	case e.P <= 1-Level:
		e.Verdict = Matters
		e.Sentence = e.Axis + " matters" + e.where(o)
	case e.strata() == 0:
		e.Verdict = TooFew
		e.Sentence = e.Axis + ": " + string(TooFew) + ", there are no two cells to compare"
	default:
		e.Verdict = verdict(e.Excluded, o)
		e.Sentence = fmt.Sprintf("%s: %s (%s); %s%s", e.Axis, e.Verdict, probability(e.P), excluded(e.Excluded, e.strata()), e.vaguest())
	}
	e.Sentence += e.leftOut()
}

// verdict of what was not shown to matter.
func verdict(excluded float64, o Options) Verdict {
	if excluded > o.Relevant {
		return TooFew
	}
	return NoEffect
}

// vaguest names the slice in which the data exclude least: a mean can be known
// well where its parts are not.
func (e *Effect) vaguest() string {
	var worst *Slice
	for _, c := range e.Comparisons {
		for i := range c.Slices {
			if s := &c.Slices[i]; worst == nil || s.Excluded() > worst.Excluded() {
				worst = s
			}
		}
	}
	if worst == nil || points(worst.Excluded()) == points(e.Excluded) {
		return ""
	}
	if worst.Excluded() >= 1 {
		return fmt.Sprintf(", where %s=%s none", worst.Axis, worst.Value)
	}
	return fmt.Sprintf(", where %s=%s one of more than %s", worst.Axis, worst.Value, points(worst.Excluded()))
}

// strata is the greatest number that a comparison has.
func (e *Effect) strata() int {
	most := 0
	for _, c := range e.Comparisons {
		most = max(most, c.Strata)
	}
	return most
}

// where puts the clearest comparison of values in words, and counts the others.
func (e *Effect) where(o Options) string {
	clearest := slices.MinFunc(e.Comparisons, func(a, b Comparison) int {
		return cmp.Or(cmp.Compare(a.least(), b.least()), cmp.Compare(a.P, b.P))
	})
	var b strings.Builder
	if axis := clearest.split(); axis == "" {
		b.WriteString(": " + clearest.words(clearest.Contrast) + " (" + probability(clearest.Adjusted) + ")")
	} else {
		for _, shown := range []bool{true, false} {
			clearest.slicesInWords(&b, axis, shown, o)
		}
	}
	if rest := len(e.Comparisons) - 1; rest > 0 {
		differ := -1
		for _, c := range e.Comparisons {
			if c.least() <= 1-Level {
				differ++
			}
		}
		switch differ {
		case 0:
			b.WriteString("; no other two values are shown to differ")
		case 1:
			fmt.Fprintf(&b, "; 1 of the %d other pairs of values differs too", rest)
		default:
			fmt.Fprintf(&b, "; %d of the %d other pairs of values differ too", differ, rest)
		}
	}
	return b.String()
}

// least is the smallest adjusted p-value of the comparison and its slices.
func (c *Comparison) least() float64 {
	p := c.Adjusted
	for _, s := range c.Slices {
		p = math.Min(p, s.Adjusted)
	}
	return p
}

// split returns the other axis that decides where the two values differ, "" if
// none is shown to: that one is shown where another is not proves no difference
// between the two places, only intervals without a common value do. Where the
// whole shows nothing it is the axis of the clearest slice.
func (c *Comparison) split() string {
	axis, widest := "", 0.0
	for i, s := range c.Slices {
		for _, t := range c.Slices[:i] {
			gap := math.Max(s.Difference.Low-t.Difference.High, t.Difference.Low-s.Difference.High)
			opposed := (s.Difference.Low > 0) != (t.Difference.Low > 0)
			if s.Axis == t.Axis && gap > widest && (s.Shown != t.Shown || s.Shown && opposed) {
				axis, widest = s.Axis, gap
			}
		}
	}
	if axis == "" && !c.Shown {
		axis = slices.MinFunc(c.Slices, func(a, b Slice) int { return cmp.Compare(a.Adjusted, b.Adjusted) }).Axis
	}
	return axis
}

func (c *Comparison) slicesInWords(b *strings.Builder, axis string, shown bool, o Options) {
	for _, s := range c.Slices {
		if s.Axis != axis || s.Shown != shown {
			continue
		}
		if shown {
			fmt.Fprintf(b, "%s where %s=%s (%s, %s)", comma(b), s.Axis, s.Value, c.words(s.Contrast), probability(s.Adjusted))
		} else {
			fmt.Fprintf(b, "; %s where %s=%s (%s, %s, %s)", verdict(s.Excluded(), o), s.Axis, s.Value,
				c.words(s.Contrast), probability(s.Adjusted), excluded(s.Excluded(), s.Strata))
		}
	}
}

// comma separates an enumeration's members.
func comma(b *strings.Builder) string {
	if b.Len() == 0 {
		return ""
	}
	return ","
}

// words gives both values' counts, and their rates where the counts mislead
// because the strata are unequally filled.
func (c *Comparison) words(k Contrast) string {
	a, b := k.Counts[0], k.Counts[1]
	s := fmt.Sprintf("%s crashed %d/%d, %s crashed %d/%d", c.Values[0], a.K, a.N, c.Values[1], b.K, b.N)
	if math.Abs(k.Rates[0]-a.Rate()) > 0.01 || math.Abs(k.Rates[1]-b.Rate()) > 0.01 {
		s += fmt.Sprintf("; like compared with like, %.0f %% and %.0f %%", 100*k.Rates[0], 100*k.Rates[1])
	}
	return s
}

func (e *Effect) leftOut() string {
	cells := 0
	for _, c := range e.Comparisons {
		cells = max(cells, c.LeftOut)
	}
	if cells == 0 || e.strata() == 0 {
		return ""
	}
	return fmt.Sprintf("; cells without a counterpart are left out (%d)", cells)
}

// excluded says how great a difference cannot have hidden.
func excluded(d float64, strata int) string {
	if d >= 1 {
		return "no difference is excluded"
	}
	mean := ""
	if strata > 1 {
		mean = "mean "
	}
	return "a " + mean + "difference of more than " + points(d) + " is excluded"
}

// points writes a difference of rates in percentage points, rounded up.
func points(d float64) string {
	unit := 1.0
	for unit > 100*d && unit > 1e-6 {
		unit /= 10
	}
	p := math.Ceil(100*d/unit-1e-9) * unit
	if p == 1 {
		return "1 point"
	}
	return fmt.Sprintf("%.6g points", p)
}

// probability writes a p-value. What is below a millionth is as good as certain,
// and more digits would promise what no model of trials can keep.
func probability(p float64) string {
	if p < 1e-6 {
		return "p < 1e-6"
	}
	return fmt.Sprintf("p = %.2g", p)
}
