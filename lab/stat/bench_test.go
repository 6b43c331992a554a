package stat

import "testing"
import "fmt"

func BenchmarkEffects(b *testing.B) {
	axes := []Axis{{"a", []string{"1", "2"}}, {"b", []string{"1", "2", "3", "4", "5"}}, {"c", []string{"1", "2", "3", "4", "5"}}}
	for _, o := range []Options{{}, {Anytime: true}} {
		b.Run(fmt.Sprint(o.Anytime), func(b *testing.B) {
			for b.Loop() {
				ks := make([]int, 50)
				for i := range ks {
					ks[i] = 30000 + i*977
				}
				cells := table(axes, ks...)
				for i := range cells {
					cells[i].N = 100000
				}
				Effects(axes, cells, o)
			}
		})
	}
}
