package stat

import (
	"math"
	"testing"
)

// The promise of an interval, computed exactly: over all outcomes of n trials,
// weighted by their binomial probability, it holds the truth about as often as
// it says. Wilson's coverage wavers around the level; 0.92 is its floor for
// these n and rates (Brown, Cai and DasGupta, Statistical Science 16, 2001).
func TestIntervalsCover(t *testing.T) {
	for _, n := range []int{20, 50, 100} {
		for _, p := range []float64{0.1, 0.3, 0.5, 0.9} {
			wilson, exact := 0.0, 0.0
			for k := 0; k <= n; k++ {
				if Wilson(k, n, Level).Contains(p) {
					wilson += binomial(n, k, p)
				}
				if ClopperPearson(k, n, Level).Contains(p) {
					exact += binomial(n, k, p)
				}
			}
			if wilson < 0.92 || wilson > 0.99 {
				t.Errorf("n=%d p=%v: Wilson's holds it with probability %.4f", n, p, wilson)
			}
			if exact < Level || exact > 0.99 {
				t.Errorf("n=%d p=%v: the exact one holds it with probability %.4f", n, p, exact)
			}
		}
	}
}

// Nothing tried is nothing known, and all alike excludes nothing beyond.
func TestIntervalsAtTheEnds(t *testing.T) {
	for name, interval := range intervals {
		if got := interval(0, 0, Level); got != (Interval{0, 1}) {
			t.Errorf("%s of 0 of 0: %+v", name, got)
		}
		for _, n := range []int{1, 7, 100, 1_000_000} {
			none, all := interval(0, n, Level), interval(n, n, Level)
			if none.Low != 0 || all.High != 1 || math.Abs(none.High+all.Low-1) > 1e-12 {
				t.Errorf("%s of none and all of %d: %+v, %+v", name, n, none, all)
			}
		}
	}
}

var intervals = map[string]func(k, n int, level float64) Interval{
	"Wilson": Wilson, "ClopperPearson": ClopperPearson, "Sequence": Sequence,
}

// Whatever comes: ends in order, around the rate, that follow k, and wider with
// the level.
func FuzzIntervals(f *testing.F) {
	f.Add(uint32(0), uint32(1), 0.95)
	f.Add(uint32(1), uint32(1000), 0.999999)
	f.Add(uint32(999_999), uint32(1_000_000), 0.5)
	f.Add(uint32(5_000_000), uint32(10_000_000), 0.95)
	f.Fuzz(func(t *testing.T, a, b uint32, level float64) {
		if !(level > 0.01 && level < 0.9999999) {
			t.Skip()
		}
		const most = 10_000_000
		k, n := int(min(a, b)%most), int(max(a, b)%most)
		k, n = min(k, n), max(k, n)
		for name, interval := range intervals {
			i := interval(k, n, level)
			if !(0 <= i.Low && i.Low <= i.High && i.High <= 1) {
				t.Fatalf("%s(%d, %d, %v) = %+v", name, k, n, level, i)
			}
			// The formulas' rounding.
			const slack = 1e-9
			if rate := (Count{k, n}).Rate(); i.Low > rate+slack || i.High < rate-slack {
				t.Errorf("%s(%d, %d, %v) = %+v does not hold %v", name, k, n, level, i, rate)
			}
			if k < n {
				if next := interval(k+1, n, level); next.Low < i.Low-slack || next.High < i.High-slack {
					t.Errorf("%s(%d, %d, %v) = %+v, but one more gives %+v", name, k, n, level, i, next)
				}
			}
			if wider := interval(k, n, (1+level)/2); wider.Low > i.Low+slack || wider.High < i.High-slack {
				t.Errorf("%s(%d, %d, %v) = %+v, but a higher level gives %+v", name, k, n, level, i, wider)
			}
		}
	})
}

func binomial(n, k int, p float64) float64 {
	a, _ := math.Lgamma(float64(n + 1))
	b, _ := math.Lgamma(float64(k + 1))
	c, _ := math.Lgamma(float64(n - k + 1))
	return math.Exp(a - b - c + float64(k)*math.Log(p) + float64(n-k)*math.Log1p(-p))
}
