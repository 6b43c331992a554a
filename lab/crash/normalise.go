package crash

import (
	"regexp"
	"strings"
	"unicode"
)

var variable = []struct {
	text *regexp.Regexp
	name string
}{
	{regexp.MustCompile(` \[recovered.*\]$`), ""},
	{regexp.MustCompile(`0x[0-9a-fA-F]+`), "ADDR"},
	{regexp.MustCompile(`\b[0-9]{4,}\b`), "N"},
	{regexp.MustCompile(`\b[0-9]+(-byte|-thread)\b`), "N$1"},
	{regexp.MustCompile(`\bgoroutine [0-9]+`), "goroutine N"},
	// The runtime's words of runtime/error.go: the same wrong index has another
	// value in each run.
	{regexp.MustCompile(`(out of range \[[^\]0-9-]*)-?[0-9]+`), "${1}N"},
	{regexp.MustCompile(`(out of range \[N:)[0-9]+`), "${1}N"},
	{regexp.MustCompile(`\b(with (?:length|capacity)) [0-9]+`), "$1 N"},
}

// normalise takes out what differs between two crashes of the same kind.
func normalise(s string) string {
	for _, v := range variable {
		s = v.text.ReplaceAllString(s, v.name)
	}
	return printable(clip(s))
}

// clip keeps a title on a line, whatever a program calls its functions.
func clip(s string) string {
	const most = 200
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "…"
	}
	return s
}

// printable replaces what could act on a terminal, or turn around the text that
// follows.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) || r == '\ufffd' {
			return '?'
		}
		return r
	}, strings.ToValidUTF8(s, "?"))
}
