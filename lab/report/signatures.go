package report

import (
	"fmt"
	"io"
	"net/url"
	"path"
	"path/filepath"
	"strings"

	"ghostlab/lab/crash"
	"ghostlab/lab/journal"
	"ghostlab/lab/visible"
)

// signatureCards are the failures of an HTML report.
type signatureCards struct {
	List []signatureCard
	More string
}

type signatureCard struct {
	Count                 int
	Title, Outcome, Where string
	// Cells are those with the most, where there are several.
	Cells []placeCount
	// Excerpt is what the first trial's console says of it.
	Excerpt string
	Summary string
	Trials  []trialRow
}

type placeCount struct {
	Name  string
	Count int
}

type trialRow struct {
	N                      int
	Log, Cell, ID, Command string
}

func (s *Summary) signatureCards() *signatureCards {
	if len(s.Signatures) == 0 {
		return nil
	}
	cards := &signatureCards{}
	for _, g := range s.Signatures[:min(len(s.Signatures), maxShown)] {
		card := signatureCard{
			Count: g.Count, Title: visible.Text(g.Title, false), Outcome: string(g.Outcome),
			Where: s.where(g), Excerpt: s.excerpt(g),
		}
		if len(s.varied) > 0 {
			for _, p := range g.Most {
				card.Cells = append(card.Cells, placeCount{s.name(p.Cell), p.Count})
			}
		}
		card.Summary = plural(g.Count, "trial")
		if more := g.Count - len(g.Trials); more > 0 {
			card.Summary = fmt.Sprintf("the first %d of %d trials; trials.jsonl has all", len(g.Trials), g.Count)
		}
		for _, t := range g.Trials {
			card.Trials = append(card.Trials, trialRow{t.N, s.log(t.N), s.name(t.Cell), fmt.Sprintf("trial-%d", t.N), s.replay(t)})
		}
		cards.List = append(cards.List, card)
	}
	if more := len(s.Signatures) - maxShown; more > 0 {
		cards.More = fmt.Sprintf("and %d more signatures, in `lab report --format json`", more)
	}
	return cards
}

// where says in how many cells a signature occurred.
func (s *Summary) where(g *Signature) string {
	text := fmt.Sprintf("%d of %s", g.Cells, plural(len(s.Cells), "cell"))
	if len(g.Most) < g.Cells {
		text += fmt.Sprintf(", most often in these %d", len(g.Most))
	}
	return text
}

// replay is the command that runs a trial again, or the nearest thing.
func (s *Summary) replay(t TrialRef) string {
	words := []string{"lab", "replay", fmt.Sprintf("%s/%d", s.Run, t.N)}
	if !t.Replays {
		words = append(words, "--hunt")
	}
	return shell(words)
}

// log is the link to a trial's console, empty where none is kept.
func (s *Summary) log(n int) string {
	f, err := journal.OpenEvidence(s.dir, n, consoleFile)
	if err != nil {
		return ""
	}
	f.Close()
	at := url.URL{Path: path.Join(filepath.ToSlash(s.links), filepath.ToSlash(journal.TrialDir("", n)), consoleFile)}
	return at.String() // with ./ before a colon, and # ? % written out
}

const consoleFile = "console.log"

// What an excerpt shows at most, and how much of a log is looked at.
const (
	excerptLines = 30
	excerptRead  = 256 << 10
	excerptWidth = 200
)

// excerpt is the part of the first trial's console that its signature comes
// from; the end of the console where that part cannot be found.
func (s *Summary) excerpt(g *Signature) string {
	f, err := journal.OpenEvidence(s.dir, g.Trials[0].N, consoleFile)
	if err != nil {
		return ""
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, excerptRead))
	if err != nil {
		return ""
	}
	lines := strings.Split(strings.TrimRight(strings.ReplaceAll(string(text), "\r", ""), "\n"), "\n")
	from := max(0, len(lines)-excerptLines)
	if at := headline(lines, g.Title); at >= 0 && g.Outcome != crash.Hang {
		from = at
	}
	lines = lines[from:]
	if len(lines) > excerptLines {
		lines = append(lines[:excerptLines:excerptLines], "…")
	}
	for i, l := range lines {
		if l = visible.Text(l, true); len(l) > excerptWidth {
			l = strings.ToValidUTF8(l[:excerptWidth], "") + "…"
		}
		lines[i] = l
	}
	return strings.Join(lines, "\n")
}

// headline finds the line that a signature was made of: its title ends with a
// place, "… in main.f", that is not in that line.
func headline(lines []string, title string) int {
	for what := title; what != ""; {
		for i, l := range lines {
			if strings.Contains(l, what) {
				return i
			}
		}
		cut := strings.LastIndex(what, " in ")
		if cut < 0 {
			break
		}
		what = what[:cut]
	}
	return -1
}
