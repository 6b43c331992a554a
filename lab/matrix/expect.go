package matrix

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"ghostlab/lab/crash"
	"ghostlab/lab/stat"
)

// Expectation is what the researcher claims of some cells: how often a trial has
// an outcome there.
type Expectation struct {
	// Where selects the cells. Each is judged by itself.
	Where   Pattern       `json:"where,omitempty"`
	Outcome crash.Outcome `json:"outcome"`
	// Signature, when set, counts only trials with this text in their signature.
	Signature string `json:"signature,omitempty"`
	Claim     Claim  `json:"claim"`
}

// Counts says whether a trial with this outcome and signature is one that the
// claim is about.
func (e Expectation) Counts(o crash.Outcome, signature string) bool {
	return o == e.Outcome && strings.Contains(signature, e.Signature)
}

// String is the claim in words, without the cells.
func (e Expectation) String() string {
	s := string(e.Outcome)
	if e.Signature != "" {
		s += fmt.Sprintf(" (%q)", e.Signature)
	}
	return s + " " + e.Claim.String()
}

// Claim is about a rate. Words are about what was seen: "never" in no trial,
// "always" in each, "sometimes" in at least one. Comparisons, such as ">= 50 %",
// are about the rate behind it, as far as its interval tells.
type Claim struct {
	// Word is Never, Always, Sometimes, or one of the comparisons <, <=, >, >=.
	Word string
	// Rate is what a comparison compares with, from 0 to 1.
	Rate float64
}

// Words of a claim.
const (
	Never     = "never"
	Always    = "always"
	Sometimes = "sometimes"
)

var (
	claimPattern = regexp.MustCompile(`^(never|always|sometimes|(<=|>=|<|>) *(` + number + `) *(%?))$`)
	ratePattern  = regexp.MustCompile(`^(` + number + `) *(%?)$`)
)

const number = `[0-9]+(?:\.[0-9]+)?`

// ParseClaim reads "never", "always", "sometimes", or a comparison with a rate
// such as ">= 50 %" or ">= 0.5".
func ParseClaim(text string) (Claim, error) {
	if m := claimPattern.FindStringSubmatch(text); m != nil {
		if m[2] == "" {
			return Claim{Word: text}, nil
		}
		if rate, err := parseRate(m[3] + m[4]); err == nil {
			return Claim{m[2], rate}, nil
		}
	}
	return Claim{}, fmt.Errorf(`want never, always, sometimes or a comparison such as ">= 50 %%", got %q`, text)
}

// parseRate reads "50 %" or "0.5".
func parseRate(text string) (float64, error) {
	if m := ratePattern.FindStringSubmatch(text); m != nil {
		rate, _ := strconv.ParseFloat(m[1], 64)
		if m[2] != "" {
			rate /= 100
		}
		if rate <= 1 {
			return rate, nil
		}
	}
	return 0, fmt.Errorf("want a rate such as 50 %% or 0.5, got %q", text)
}

func (c Claim) String() string {
	switch c.Word {
	case Never, Always, Sometimes:
		return c.Word
	}
	return c.Word + " " + percent(c.Rate, 12)
}

// percent shows so many digits of a rate.
func percent(rate float64, digits int) string {
	return strconv.FormatFloat(100*rate, 'g', digits, 64) + " %"
}

// MarshalText and UnmarshalText are String and ParseClaim.
func (c Claim) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// UnmarshalText reads what MarshalText writes.
func (c *Claim) UnmarshalText(text []byte) (err error) {
	*c, err = ParseClaim(string(text))
	return err
}

// Verdict is what the trials say of a claim.
type Verdict string

const (
	Met       Verdict = "met"
	Unmet     Verdict = "unmet"
	Undecided Verdict = "undecided" // too few trials to tell
)

// Judge compares the claim with k of n trials, whose rate's interval is i. The
// reason names what it rests on; for "never" that is the rate up to which none
// of n speaks.
func (c Claim) Judge(k, n int, i stat.Interval) (Verdict, string) {
	if n == 0 {
		return Undecided, "no trial gave a result"
	}
	seen := fmt.Sprintf("%d of %d", k, n)
	between := fmt.Sprintf("%s, so %s to %s", seen, percent(i.Low, 3), percent(i.High, 3))
	decide := func(met, unmet bool) (Verdict, string) {
		switch {
		case met:
			return Met, between
		case unmet:
			return Unmet, between
		}
		return Undecided, between
	}
	switch c.Word {
	case Never:
		if k == 0 {
			return Met, fmt.Sprintf("%s, which speaks of rates above %s only", seen, percent(i.High, 3))
		}
		return Unmet, seen
	case Always:
		if k == n {
			return Met, fmt.Sprintf("%s, which speaks of rates below %s only", seen, percent(i.Low, 3))
		}
		return Unmet, seen
	case Sometimes:
		if k > 0 {
			return Met, seen
		}
		return Unmet, fmt.Sprintf("%s, which speaks of rates above %s only", seen, percent(i.High, 3))
	case ">=":
		return decide(i.Low >= c.Rate, i.High < c.Rate)
	case ">":
		return decide(i.Low > c.Rate, i.High <= c.Rate)
	case "<=":
		return decide(i.High <= c.Rate, i.Low > c.Rate)
	default:
		return decide(i.High < c.Rate, i.Low >= c.Rate)
	}
}
