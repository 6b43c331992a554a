package stat

import (
	"math/rand/v2"
	"testing"
)

// Someone looks after each trial of two strata and stops at a p-value of 0.05.
// Anytime's deceives one in twenty at the most, that for fixed numbers many.
func TestAnytimeWhenWatched(t *testing.T) {
	for _, rates := range [][2]float64{{0.3, 0.3}, {0.01, 0.9}, {0.05, 0.1}} {
		for _, c := range []struct {
			name         string
			test         func([]Table) float64
			runs, trials int
			want         bool
		}{
			{"Anytime", Anytime, 500, 200, true},
			{"Stratified", Stratified, 300, 150, false},
		} {
			r := rand.New(rand.NewPCG(3, 3))
			right := 0
			for range c.runs {
				if !deceived(r, rates, c.test, c.trials) {
					right++
				}
			}
			if promised(right, c.runs, Level) != c.want {
				t.Errorf("%s at %v: right in %d of %d", c.name, rates, right, c.runs)
			}
		}
	}
}

// deceived says whether a test ever shows a difference that is not there.
func deceived(r *rand.Rand, rates [2]float64, test func([]Table) float64, trials int) bool {
	tables := make([]Table, len(rates))
	for range trials {
		for s, rate := range rates {
			for _, c := range []*Count{&tables[s].A, &tables[s].B} {
				c.N++
				if r.Float64() < rate {
					c.K++
				}
				if test(tables) <= 1-Level {
					return true
				}
			}
		}
	}
	return false
}
