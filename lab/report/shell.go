package report

import (
	"regexp"
	"strings"
)

var safeWord = regexp.MustCompile(`^[A-Za-z0-9_@%+=:,./-]+$`)

// shell joins words to a line that a POSIX shell splits into the same words.
// What a terminal would obey does not come through it.
func shell(words []string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		if w = visible(w, false); !safeWord.MatchString(w) {
			w = "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
		}
		quoted[i] = w
	}
	return strings.Join(quoted, " ")
}
