package matrix

import (
	"fmt"
	"strconv"
	"strings"
)

// Shard is a part of a matrix that a host runs for itself: number Index of Of
// parts. The zero value is the whole matrix.
type Shard struct {
	Index int `json:"index"` // from 1
	Of    int `json:"of"`
}

// ParseShard reads "2/3".
func ParseShard(text string) (Shard, error) {
	index, of, ok := strings.Cut(text, "/")
	i, err1 := strconv.Atoi(index)
	n, err2 := strconv.Atoi(of)
	if !ok || err1 != nil || err2 != nil || i < 1 || n < i {
		return Shard{}, fmt.Errorf("want a part and the number of parts, such as 1/3 to 3/3, got %q", text)
	}
	if n == 1 {
		return Shard{}, nil
	}
	return Shard{i, n}, nil
}

// Whole says whether it is no part but all of the matrix.
func (s Shard) Whole() bool { return s.Of <= 1 }

func (s Shard) String() string {
	if s.Whole() {
		return "1/1"
	}
	return fmt.Sprintf("%d/%d", s.Index, s.Of)
}

// Has says whether the shard runs a cell's trial that has so many of the same
// cell before it. A cell's trials are dealt in turn, and each cell begins with
// another shard: so each shard has all cells, if they have as many trials as
// there are shards, and no shard has more than its share.
func (s Shard) Has(cell, before int) bool {
	return s.Whole() || (cell+before)%s.Of == s.Index-1
}

// Size is the number of the shard's trials of a cell that has so many.
func (s Shard) Size(cell, trials int) int {
	if s.Whole() {
		return trials
	}
	// The first of them comes after so many of the other shards'.
	first := ((s.Index-1-cell)%s.Of + s.Of) % s.Of
	if first >= trials {
		return 0
	}
	return (trials-1-first)/s.Of + 1
}
