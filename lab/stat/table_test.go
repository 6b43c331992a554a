package stat

import (
	"math"
	"testing"
)

// With 100,000 trials in each of many strata the tails are cut; the p-value must
// not notice. The normal approximation is right there.
func TestStratifiedOfManyTrials(t *testing.T) {
	const n = 100_000
	for _, shift := range []int{0, 60, 150, 400} {
		var tables []Table
		var distance, variance float64
		for s := range 6 {
			a, b := 20_000+5_000*s, 20_000+5_000*s+shift
			tables = append(tables, Table{Count{a, n}, Count{b, n}})
			p := float64(a+b) / (2 * n)
			distance += float64(b-a) / 2
			variance += float64(n) / 2 * p * (1 - p)
		}
		got := Stratified(tables)
		// With the correction for continuity.
		want := math.Erfc(math.Max(0, distance-0.5) / math.Sqrt(2*variance))
		if !(got <= 1 && math.Abs(got-want) <= 0.001*want+1e-15) {
			t.Errorf("%d more crashes in each stratum: p = %v, by the normal approximation %v", shift, got, want)
		}
	}
}

// What no float can hold still has a p-value above 0.
func TestImpossibleTables(t *testing.T) {
	const n = 100_000
	far := Table{Count{0, n}, Count{n, n}}
	if p := Fisher(far); !(p > 0 && p < 1e-200) {
		t.Errorf("Fisher(%v) = %v", far, p)
	}
	if p := Stratified([]Table{far, far, far}); !(p > 0 && p < 1e-15) {
		t.Errorf("three of %v: p = %v", far, p)
	}
}

// Whatever comes: p-values are probabilities, and do not depend on the order of
// conditions, of strata, or on which outcome is called a crash.
func FuzzTables(f *testing.F) {
	f.Add(uint16(0), uint16(100), uint16(97), uint16(100), uint16(0), uint16(100), uint16(0), uint16(100))
	f.Add(uint16(1), uint16(1), uint16(0), uint16(0), uint16(3), uint16(2000), uint16(9), uint16(10))
	f.Fuzz(func(t *testing.T, a, b, c, d, e, g, h, i uint16) {
		count := func(k, n uint16) Count {
			k, n = k%3000, n%3000
			return Count{int(min(k, n)), int(max(k, n))}
		}
		x, y := Table{count(a, b), count(c, d)}, Table{count(e, g), count(h, i)}
		passes := func(t Table) Table {
			return Table{Count{t.A.N - t.A.K, t.A.N}, Count{t.B.N - t.B.K, t.B.N}}
		}
		swapped := func(t Table) Table { return Table{t.B, t.A} }
		for name, test := range map[string]func([]Table) float64{"Stratified": Stratified, "Anytime": Anytime} {
			p := test([]Table{x, y})
			if !(p > 0 && p <= 1) {
				t.Fatalf("%s(%v, %v) = %v", name, x, y, p)
			}
			for what, same := range map[string]float64{
				"strata in another order":     test([]Table{y, x}),
				"conditions in another order": test([]Table{swapped(x), swapped(y)}),
				"passes for crashes":          test([]Table{passes(x), passes(y)}),
				"an empty stratum":            test([]Table{x, {}, y}),
			} {
				if math.Abs(same-p) > 1e-6*p {
					t.Errorf("%s(%v, %v) = %v, but %v with %s", name, x, y, p, same, what)
				}
			}
		}
	})
}

// Whatever ran: numbers in their ranges, and words.
func FuzzEffects(f *testing.F) {
	f.Add([]byte{0, 100, 97, 100, 0, 100, 0, 100, 3, 0, 4, 9})
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, counts []byte) {
		axes := []Axis{procs, align, keys}
		var cells []Cell
		for i := 0; i+1 < len(counts) && i < 24; i += 2 {
			n := int(counts[i+1])
			cells = append(cells, Cell{map[string]string{
				"gomaxprocs": procs.Values[i/2%2], "mmap_align": align.Values[i/4%3], "key_space": keys.Values[i/12%2],
			}, Count{min(n, int(counts[i])), n}})
		}
		for _, o := range []Options{{}, {Anytime: true}} {
			for _, e := range Effects(axes, cells, o) {
				if !(e.P >= 0 && e.P <= 1 && e.Excluded >= 0 && e.Excluded <= 1) || e.Sentence == "" || e.Verdict == "" {
					t.Errorf("%+v", e)
				}
				for _, c := range e.Comparisons {
					sound(t, c.Contrast)
					for _, s := range c.Slices {
						sound(t, s.Contrast)
					}
				}
			}
		}
	})
}

func sound(t *testing.T, c Contrast) {
	t.Helper()
	d := c.Difference
	if !(c.P >= 0 && c.P <= c.Adjusted && c.Adjusted <= 1) || c.Shown != (c.Adjusted <= 1-Level) ||
		!(d.Low >= -1 && d.High <= 1 && d.Low-1e-9 <= c.Rates[1]-c.Rates[0] && c.Rates[1]-c.Rates[0] <= d.High+1e-9) {
		t.Errorf("%+v", c)
	}
}
