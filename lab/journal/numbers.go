package journal

// Numbers is a set of trial numbers, one bit for each. The zero value is empty.
type Numbers struct {
	words []uint64
	count int
}

// Add adds n, which is at least 0.
func (s *Numbers) Add(n int) {
	for n/64 >= len(s.words) {
		s.words = append(s.words, 0)
	}
	if bit := uint64(1) << (n % 64); s.words[n/64]&bit == 0 {
		s.words[n/64] |= bit
		s.count++
	}
}

// Has says whether n is there.
func (s Numbers) Has(n int) bool {
	return n >= 0 && n/64 < len(s.words) && s.words[n/64]>>(n%64)&1 == 1
}

// Len is how many there are.
func (s Numbers) Len() int { return s.count }
