package matrix

import "math/rand/v2"

// Order returns the cell of each trial, in the order of their numbers: so many
// trials of so many cells, mixed by the seed, so that a host that gets slower
// does not look like an effect.
func Order(cells, trials int, seed uint64) []uint32 {
	order := make([]uint32, cells*trials)
	for i := range order {
		order[i] = uint32(i % cells)
	}
	rng := rand.New(rand.NewPCG(seed, 0))
	rng.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
	return order
}
