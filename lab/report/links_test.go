package report

import (
	"html"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"ghostlab/lab/crash"
	"ghostlab/lab/journal"
)

// A link leads to the console whatever the folders are called.
func TestLinksToConsoles(t *testing.T) {
	for _, name := range []string{"runs", "runs#1?a=b%20", "a:b", `it's "x" & y`} {
		top := t.TempDir()
		to := filepath.Join(top, name)
		if err := os.Rename(made(t, plan(1), func(add func(journal.Trial, string)) {
			add(journal.Trial{Outcome: crash.Crash, Title: "x"}, "out")
		}), to); err != nil {
			t.Fatal(err)
		}
		s, err := Read(to)
		if err != nil {
			t.Fatal(err)
		}
		page := filepath.Join(top, "page.html")
		if err := s.WriteFile(HTML, page); err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		link := regexp.MustCompile(`href="([^"#][^"]*)"`).FindSubmatch(text)
		if link == nil {
			t.Fatalf("%s: no link", name)
		}
		at, err := url.Parse(html.UnescapeString(string(link[1])))
		if err != nil || at.Scheme != "" || at.Fragment != "" || at.RawQuery != "" {
			t.Errorf("%s: %s: %v", name, link[1], err)
			continue
		}
		if text, err := os.ReadFile(filepath.Join(top, at.Path)); string(text) != "out" {
			t.Errorf("%s: %s leads to %q, %v", name, link[1], text, err)
		}
	}
}
