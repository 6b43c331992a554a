// Package suite has tests that need what go test would give them.
package suite

// Double doubles.
func Double(n int) int { return 2 * n }
