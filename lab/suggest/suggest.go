// Package suggest says which name a mistyped one most likely means.
package suggest

import (
	"fmt"
	"slices"
	"strings"
)

// Advice says which name a mistyped one most likely means, or else which there
// are.
func Advice(name string, known []string) string {
	if mean := DidYouMean(name, known); mean != "" {
		return mean
	}
	return "there are: " + strings.Join(known, ", ")
}

// DidYouMean is Advice where some name is near, or else empty.
func DidYouMean(name string, known []string) string {
	if near := Nearest(name, known); near != "" {
		return fmt.Sprintf("did you mean %q?", near)
	}
	return ""
}

// Nearest returns the name that a mistyped one most likely means, or "".
func Nearest(name string, known []string) string {
	best, least := "", len(name)/3+2
	for _, k := range slices.Sorted(slices.Values(known)) {
		if d := distance(name, k); d < least {
			best, least = k, d
		}
	}
	return best
}

// distance is Levenshtein's.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		diagonal := row[0]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			change := diagonal
			if a[i-1] != b[j-1] {
				change++
			}
			diagonal = row[j]
			row[j] = min(change, row[j]+1, row[j-1]+1)
		}
	}
	return row[len(b)]
}
