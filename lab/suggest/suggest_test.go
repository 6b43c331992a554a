package suggest

import (
	"slices"
	"testing"
)

func TestNearest(t *testing.T) {
	known := []string{"trials", "timeout", "seed", "engine", "isolation", "axes"}
	for name, want := range map[string]string{
		"trails":    "trials",
		"trial":     "trials",
		"Seed":      "seed",
		"time_out":  "timeout",
		"isolaton":  "isolation",
		"axe":       "axes",
		"":          "",
		"zzz":       "",
		"something": "",
	} {
		if got := Nearest(name, slices.Clone(known)); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
	// Of two that are as near the answer does not depend on the order.
	if a, b := Nearest("bat", []string{"cat", "hat"}), Nearest("bat", []string{"hat", "cat"}); a != b {
		t.Errorf("%q and %q", a, b)
	}
	if got := Nearest("x", nil); got != "" {
		t.Errorf("nothing known: %q", got)
	}
}

func TestDistance(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{
		{"", "", 0}, {"", "abc", 3}, {"abc", "", 3}, {"kitten", "sitting", 3}, {"flaw", "lawn", 2}, {"ab", "ba", 2},
	} {
		if got := distance(c.a, c.b); got != c.want {
			t.Errorf("%s to %s: %d, want %d", c.a, c.b, got, c.want)
		}
	}
}
