package stat

import (
	"strings"
	"testing"
)

// table makes the cells of a full matrix from crashes of 100 in each, the last
// axis fastest.
func table(axes []Axis, crashes ...int) []Cell {
	cells := make([]Cell, len(crashes))
	for i, k := range crashes {
		cells[i] = Cell{map[string]string{}, Count{k, 100}}
		rest := i
		for j := len(axes) - 1; j >= 0; j-- {
			values := axes[j].Values
			cells[i].Axes[axes[j].Name] = values[rest%len(values)]
			rest /= len(values)
		}
	}
	return cells
}

var (
	procs = Axis{"gomaxprocs", []string{"1", "2"}}
	align = Axis{"mmap_align", []string{"none", "4KiB", "2MiB"}}
	keys  = Axis{"key_space", []string{"fixed", "growing"}}
)

func TestSentences(t *testing.T) {
	for _, c := range []struct {
		name  string
		axes  []Axis
		cells []Cell
		want  []string
	}{
		{"one matters, one does not", []Axis{procs, align}, table([]Axis{procs, align}, 0, 0, 0, 79, 87, 77), []string{
			"gomaxprocs matters: 1 crashed 0/300, 2 crashed 243/300 (p < 1e-6)",
			"mmap_align: no effect shown (p = 0.58); a mean difference of more than 15 points is excluded, where gomaxprocs=2 one of more than 31 points",
		}},
		{"only in one place", []Axis{procs, keys}, table([]Axis{procs, keys}, 0, 0, 0, 97), []string{
			"gomaxprocs matters where key_space=growing (1 crashed 0/100, 2 crashed 97/100, p < 1e-6); no effect shown where key_space=fixed (1 crashed 0/100, 2 crashed 0/100, p = 1, a difference of more than 6 points is excluded)",
			"key_space matters where gomaxprocs=2 (fixed crashed 0/100, growing crashed 97/100, p < 1e-6); no effect shown where gomaxprocs=1 (fixed crashed 0/100, growing crashed 0/100, p = 1, a difference of more than 6 points is excluded)",
		}},
		{"opposite effects", []Axis{procs, keys}, table([]Axis{procs, keys}, 0, 60, 60, 0), []string{
			"gomaxprocs matters where key_space=fixed (1 crashed 0/100, 2 crashed 60/100, p < 1e-6), where key_space=growing (1 crashed 60/100, 2 crashed 0/100, p < 1e-6)",
			"key_space matters where gomaxprocs=1 (fixed crashed 0/100, growing crashed 60/100, p < 1e-6), where gomaxprocs=2 (fixed crashed 60/100, growing crashed 0/100, p < 1e-6)",
		}},
		{"three values", []Axis{align}, table([]Axis{align}, 10, 10, 80), []string{
			"mmap_align matters: none crashed 10/100, 2MiB crashed 80/100 (p < 1e-6); 1 of the 2 other pairs of values differs too",
		}},
		{"one of three in doubt", []Axis{align}, table([]Axis{align}, 5, 14, 25), []string{
			"mmap_align matters: none crashed 5/100, 2MiB crashed 25/100 (p = 0.00031); no other two values are shown to differ",
		}},
		{"a single axis of one value", []Axis{{"go", []string{"1.21.6"}}}, []Cell{{nil, Count{3, 5}}}, nil},
		{"nothing ran", []Axis{procs}, nil, []string{
			"gomaxprocs: too few trials to say, there are no two cells to compare",
		}},
		{"one cell ran", []Axis{procs, keys}, table([]Axis{procs, keys}, 97)[:1], []string{
			"gomaxprocs: too few trials to say, there are no two cells to compare",
			"key_space: too few trials to say, there are no two cells to compare",
		}},
		{"one trial each", []Axis{procs}, sized(1, table([]Axis{procs}, 0, 1)), []string{
			"gomaxprocs: too few trials to say (p = 1); no difference is excluded",
		}},
		{"ten trials each", []Axis{procs}, sized(10, table([]Axis{procs}, 2, 3)), []string{
			"gomaxprocs: too few trials to say (p = 1); a difference of more than 63 points is excluded",
		}},
		{"all crash", []Axis{procs, keys}, table([]Axis{procs, keys}, 100, 100, 100, 100), []string{
			"gomaxprocs: no effect shown (p = 1); a mean difference of more than 3 points is excluded, where key_space=fixed one of more than 6 points",
			"key_space: no effect shown (p = 1); a mean difference of more than 3 points is excluded, where gomaxprocs=1 one of more than 6 points",
		}},
		// What the excludes of a matrix leave: 2 ran where crashes are frequent.
		{"without a counterpart", []Axis{procs, keys}, table([]Axis{procs, keys}, 10, 80, 12)[:3], []string{
			"gomaxprocs: no effect shown (p = 0.82); a difference of more than 16 points is excluded; cells without a counterpart are left out (1)",
			"key_space matters: fixed crashed 10/100, growing crashed 80/100 (p < 1e-6); cells without a counterpart are left out (1)",
		}},
		// C. R. Charig and others, British Medical Journal 292, 1986, tenfold: the
		// pooled counts say the opposite of each stratum.
		{"Simpson's paradox", []Axis{{"treatment", []string{"surgery", "puncture"}}, {"stones", []string{"small", "large"}}}, charig(), []string{
			"treatment matters: surgery crashed 2730/3500, puncture crashed 2890/3500; like compared with like, 83 % and 78 % (p = 1.8e-06)",
			"stones matters: small crashed 3150/3570, large crashed 2470/3430; like compared with like, 90 % and 71 % (p < 1e-6)",
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got []string
			for _, e := range Effects(c.axes, c.cells, Options{}) {
				got = append(got, e.Sentence)
			}
			if g, w := strings.Join(got, "\n"), strings.Join(c.want, "\n"); g != w {
				t.Errorf("got\n%s\nwant\n%s", g, w)
			}
		})
	}
}

// sized gives all cells so many trials.
func sized(n int, cells []Cell) []Cell {
	for i := range cells {
		cells[i].N = n
	}
	return cells
}

func charig() []Cell {
	cell := func(treatment, stones string, k, n int) Cell {
		return Cell{map[string]string{"treatment": treatment, "stones": stones}, Count{k, n}}
	}
	return []Cell{
		cell("surgery", "small", 810, 870), cell("puncture", "small", 2340, 2700),
		cell("surgery", "large", 1920, 2630), cell("puncture", "large", 550, 800),
	}
}
