package stat

import (
	"math"
	"testing"
)

func TestStop(t *testing.T) {
	for _, c := range []struct {
		stop Stop
		k, n int
		want bool
	}{
		{Stop{}, 5, 1000, false},
		{Stop{First: true}, 0, 1000, false},
		{Stop{First: true}, 1, 1, true},
		{Stop{Width: 0.1}, 0, 20, false},
		{Stop{Width: 0.1}, 0, 60, true},
		{Stop{Width: 0.1}, 300, 600, false},
		{Stop{Width: 0.1}, 680, 1360, true},
		{Stop{Width: 0.1, First: true}, 1, 3, true},
		{Stop{Width: 1}, 0, 0, true},
	} {
		if got := c.stop.Met(c.k, c.n); got != c.want {
			t.Errorf("%+v after %d of %d: %v", c.stop, c.k, c.n, got)
		}
	}
}

// The range is what trying all numbers of crashes finds.
func TestStopRange(t *testing.T) {
	for _, width := range []float64{0.9, 0.5, 0.25} {
		s := Stop{Width: width}
		least, most := 0, 0
		for n := 0; least == 0 || most == 0; n++ {
			some, all := false, true
			for k := range n + 1 {
				met := s.Met(k, n)
				some, all = some || met, all && met
			}
			if some && least == 0 {
				least = n
			}
			if all && most == 0 {
				most = n
			}
		}
		if l, m := s.Range(100_000); l != least || m != most {
			t.Errorf("width %v: %d to %d trials, want %d to %d", width, l, m, least, most)
		}
	}
	if l, m := (Stop{}).Range(50); l != 50 || m != 50 {
		t.Errorf("without a rule: %d to %d of 50", l, m)
	}
	if l, m := (Stop{Width: 1e-6, First: true}).Range(50); l != 1 || m != 50 {
		t.Errorf("a width too far, or the first crash: %d to %d of 50", l, m)
	}
}

func TestStopExpected(t *testing.T) {
	if got := (Stop{First: true}).Expected(0.1, 1000); got != 10 {
		t.Errorf("the first crash at 0.1: %d trials", got)
	}
	if got := (Stop{First: true}).Expected(0, 1000); got != 1000 {
		t.Errorf("the first crash at 0: %d trials", got)
	}
	s := Stop{Width: 0.1}
	least, most := s.Range(10_000)
	last := 0
	for _, rate := range []float64{0, 0.01, 0.1, 0.3, 0.5} {
		n := s.Expected(rate, 10_000)
		if n < least || n > most || n < last {
			t.Errorf("width 0.1 at %v: %d trials, within %d to %d", rate, n, least, most)
		}
		last = n
		// Where no crash is expected yet the width comes and goes with the first.
		if k := int(math.Round(rate * float64(n))); rate != 0.01 && (!s.Met(k, n+5) || s.Met(k, n-5)) {
			t.Errorf("width 0.1 at %v is not reached about %d", rate, n)
		}
	}
}
