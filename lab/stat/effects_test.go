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

func TestSentences(t *testing.T) {
	procs := Axis{"gomaxprocs", []string{"1", "2"}}
	align := Axis{"mmap_align", []string{"none", "4KiB", "2MiB"}}
	keys := Axis{"key_space", []string{"fixed", "growing"}}
	for _, c := range []struct {
		name    string
		axes    []Axis
		crashes []int
		want    []string
	}{
		{"one matters, one does not", []Axis{procs, align}, []int{0, 0, 0, 79, 87, 77}, []string{
			"gomaxprocs matters: 1 crashed 0/300, 2 crashed 243/300 (p < 1e-6)",
			"mmap_align: no effect shown (p = 0.58); a mean difference of more than 15 points is excluded, where gomaxprocs=2 one of more than 31 points",
		}},
		{"only in one place", []Axis{procs, keys}, []int{0, 0, 0, 97}, []string{
			"gomaxprocs matters where key_space=growing (1 crashed 0/100, 2 crashed 97/100, p < 1e-6); no effect shown where key_space=fixed (1 crashed 0/100, 2 crashed 0/100, p = 1, a difference of more than 6 points is excluded)",
			"key_space matters where gomaxprocs=2 (fixed crashed 0/100, growing crashed 97/100, p < 1e-6); no effect shown where gomaxprocs=1 (fixed crashed 0/100, growing crashed 0/100, p = 1, a difference of more than 6 points is excluded)",
		}},
		{"opposite effects", []Axis{procs, keys}, []int{0, 60, 60, 0}, []string{
			"gomaxprocs matters where key_space=fixed (1 crashed 0/100, 2 crashed 60/100, p < 1e-6), where key_space=growing (1 crashed 60/100, 2 crashed 0/100, p < 1e-6)",
			"key_space matters where gomaxprocs=1 (fixed crashed 0/100, growing crashed 60/100, p < 1e-6), where gomaxprocs=2 (fixed crashed 60/100, growing crashed 0/100, p < 1e-6)",
		}},
		{"three values", []Axis{align}, []int{10, 10, 80}, []string{
			"mmap_align matters: none crashed 10/100, 2MiB crashed 80/100 (p < 1e-6); 1 of the 2 other pairs of values differs too",
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got []string
			for _, e := range Effects(c.axes, table(c.axes, c.crashes...), Options{}) {
				got = append(got, e.Sentence)
			}
			if g, w := strings.Join(got, "\n"), strings.Join(c.want, "\n"); g != w {
				t.Errorf("got\n%s\nwant\n%s", g, w)
			}
		})
	}
}
