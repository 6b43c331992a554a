package stat

import "testing"

// Fifty cells of 100,000 trials each.
func BenchmarkEffects(b *testing.B) {
	axes := []Axis{{"a", []string{"1", "2"}}, {"b", []string{"1", "2", "3", "4", "5"}}, {"c", []string{"1", "2", "3", "4", "5"}}}
	cells := table(axes, make([]int, 50)...)
	for i := range cells {
		cells[i].Count = Count{30_000 + 977*i, 100_000}
	}
	for name, o := range map[string]Options{"fixed": {}, "anytime": {Anytime: true}} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				Effects(axes, cells, o)
			}
		})
	}
}

func BenchmarkStop(b *testing.B) {
	for b.Loop() {
		Stop{Width: 0.1}.Met(437, 1000)
	}
}
