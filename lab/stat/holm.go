package stat

import (
	"math"
	"sort"
)

// Holm adjusts p-values for their number (S. Holm, Scandinavian Journal of
// Statistics 6, 1979): whatever the dependence between the tests, calling all
// those shown whose adjusted p-value is at most x is wrong about any of them
// with a probability of at most x.
func Holm(p []float64) []float64 {
	order := make([]int, len(p))
	for i := range order {
		order[i] = i
	}
	sort.SliceStable(order, func(i, j int) bool { return p[order[i]] < p[order[j]] })
	adjusted := make([]float64, len(p))
	least := 0.0
	for rank, i := range order {
		least = math.Min(1, math.Max(least, float64(len(p)-rank)*p[i]))
		adjusted[i] = least
	}
	return adjusted
}
