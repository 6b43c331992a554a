package matrix

import (
	"encoding/json"
	"testing"

	"ghostlab/lab/stat"
)

func TestJudge(t *testing.T) {
	for _, c := range []struct {
		claim string
		k, n  int
		want  Verdict
		why   string
	}{
		{"never", 0, 100, Met, "0 of 100, which speaks of rates above 3.62 % only"},
		{"never", 1, 100, Unmet, "1 of 100"},
		{"never", 0, 0, Undecided, "no trial gave a result"},
		{"always", 100, 100, Met, "100 of 100, which speaks of rates below 96.4 % only"},
		{"always", 99, 100, Unmet, "99 of 100"},
		{"sometimes", 1, 100, Met, "1 of 100"},
		{"sometimes", 0, 100, Unmet, "0 of 100, which speaks of rates above 3.62 % only"},
		{">= 50 %", 70, 100, Met, "70 of 100, so 60 % to 78.8 %"},
		{">= 50 %", 55, 100, Undecided, "55 of 100, so 44.7 % to 65 %"},
		{">= 50 %", 30, 100, Unmet, "30 of 100, so 21.2 % to 40 %"},
		{"<= 0.5", 30, 100, Met, "30 of 100, so 21.2 % to 40 %"},
		{"<= 50%", 70, 100, Unmet, "70 of 100, so 60 % to 78.8 %"},
		{"< 5 %", 0, 100, Met, "0 of 100, so 0 % to 3.62 %"},
		{"< 5 %", 0, 10, Undecided, "0 of 10, so 0 % to 30.8 %"},
		{"> 0%", 1, 100, Met, "1 of 100, so 0.0253 % to 5.45 %"},
	} {
		claim, err := ParseClaim(c.claim)
		if err != nil {
			t.Fatal(err)
		}
		got, why := claim.Judge(c.k, c.n, stat.ClopperPearson(c.k, c.n, 0.95))
		if got != c.want || why != c.why {
			t.Errorf("%s, %d of %d: %s, %s; want %s, %s", c.claim, c.k, c.n, got, why, c.want, c.why)
		}
	}
}

// What a run records of a claim is what the file said.
func TestClaimsSurviveJSON(t *testing.T) {
	for _, text := range []string{"never", "always", "sometimes", ">= 50 %", "< 0.5 %", "<= 12.5 %", "> 33.33 %"} {
		was, err := ParseClaim(text)
		if err != nil {
			t.Fatal(err)
		}
		b, err := json.Marshal(was)
		if err != nil {
			t.Fatal(err)
		}
		var is Claim
		if err := json.Unmarshal(b, &is); err != nil || is != was {
			t.Errorf("%s became %s, %+v and not %+v (%v)", text, b, is, was, err)
		}
	}
}
