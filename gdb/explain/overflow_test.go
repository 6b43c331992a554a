package explain

import "testing"

func TestPeriodOfValues(t *testing.T) {
	for _, c := range []struct {
		values []uint64
		want   int
	}{
		{[]uint64{7, 7, 7, 7}, 1},
		{[]uint64{1, 2, 3, 1, 2, 3, 1}, 3},
		{[]uint64{1, 2, 3, 4}, 0},
		{[]uint64{1, 2, 1}, 0}, // too few to say
		{nil, 0},
	} {
		if got := period(c.values); got != c.want {
			t.Errorf("period(%v) = %d, want %d", c.values, got, c.want)
		}
	}
}

func TestRecursionRepeats(t *testing.T) {
	r := &recursion{}
	for range 3 {
		for _, fn := range []string{"main.f", "main.g"} {
			r.calls = append(r.calls, activation{fn: fn})
		}
	}
	r.calls = append(r.calls, activation{fn: "main.f"}, activation{fn: "main.main"})
	if err := r.repeats(); err != nil || r.fn != "main.f" || r.times != 4 || len(r.round) != 2 || r.outermost() != 6 {
		t.Errorf("%v, %s is there %d times, round %v", err, r.fn, r.times, r.round)
	}
	if err := (&recursion{calls: []activation{{fn: "main.f"}, {fn: "main.main"}}}).repeats(); err == nil {
		t.Error("what is there once repeats")
	}
}
