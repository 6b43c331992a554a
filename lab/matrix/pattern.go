package matrix

import (
	"slices"
	"strings"
)

// Pattern selects cells: those that have, on each axis named, one of its values.
// The zero value selects all.
type Pattern []Axis

// Matches says whether the pattern selects a cell.
func (p Pattern) Matches(c Cell) bool {
	for _, a := range p {
		v, ok := c.Axes[a.Name]
		if !ok || !slices.Contains(a.Values, v) {
			return false
		}
	}
	return true
}

// String names the pattern as flags and error messages do.
func (p Pattern) String() string {
	if len(p) == 0 {
		return "all cells"
	}
	var parts []string
	for _, a := range p {
		parts = append(parts, a.Name+"="+strings.Join(a.Values, ","))
	}
	return strings.Join(parts, " ")
}
