package report

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"path/filepath"
	"strings"

	"ghostlab/lab/matrix"
	"ghostlab/lab/stat"
	"ghostlab/lab/visible"
)

// What an HTML report shows of a run of any size; it says how much is beyond.
const (
	maxCells    = 1000 // in the table, those with the highest rates
	maxCommands = 500  // for one cell each
	maxShown    = 50   // signatures, and explained trials
	maxClaims   = 500  // expectations, those that are not met first
)

//go:embed page/report.html
var pageText string

//go:embed page/report.css
var pageStyle string

//go:embed page/report.js
var pageScript string

var pageTemplate = template.Must(template.New("report").Parse(pageText))

// document is what the template is executed with.
type document struct {
	*Summary
	// Everything from outside is text, the style and the script are ours.
	CSS              template.CSS
	JS               template.JS
	CSP              string
	Title, Name, Lab string
	Kernel           string
	Platform         string
	Tiles            []Fact
	Notes            []string
	Sections         []section
	Expect           *claims
	Effects          []effectRow
	Heat             *heat
	Table            *cellRows
	Hunts            []huntRows
	Signatures       *signatureCards
	Explained        []explained
	Reproduce        reproduce
	Facts            []Fact
	How              []paragraph
}

type section struct{ ID, Title string }

type paragraph struct{ Title, Text string }

// HTML writes one file that needs no other and no network. Its links lead from
// the run's folder to the evidence there; WriteFile makes them lead from others.
func (s *Summary) HTML(w io.Writer) error {
	p := document{
		Summary: s, CSS: template.CSS(pageStyle), JS: template.JS(pageScript), Title: visible.Text(s.Scenario, false), Name: visible.Text(s.Run, false), Lab: visible.Text(s.run.Lab, false),
		// Nothing but this style and this script, whatever text a guest has written.
		CSP: fmt.Sprintf("default-src 'none'; style-src %s; script-src %s; base-uri 'none'; form-action 'none'",
			sourceHash(pageStyle), sourceHash(pageScript)),
		Kernel: visible.Text("kernel "+s.kernels(), false), Platform: visible.Text(s.platform(), false),
		Effects: s.effectRows(), Explained: s.explained(),
		Tiles: s.tiles(), Notes: s.notes(), Expect: s.claims(), Hunts: s.huntRows(),
		Signatures: s.signatureCards(), Reproduce: s.reproduce(), Facts: s.facts(), How: s.how(),
	}
	if !s.Hunted() {
		p.Table = s.cellRows()
		if len(s.varied) > 0 {
			p.Heat = s.heat()
		}
	}
	for _, x := range []struct {
		section
		there bool
	}{
		{section{"expect", "expectations"}, p.Expect != nil},
		{section{"matrix-map", "matrix"}, p.Heat != nil},
		{section{"effects", "what it depends on"}, len(s.Effects) > 0},
		{section{"cells-table", "each cell"}, p.Table != nil},
		{section{"hunts", "the hunt"}, p.Hunts != nil},
		{section{"signatures", "what failed"}, p.Signatures != nil},
		{section{"explained", "why"}, p.Explained != nil},
		{section{"reproduce", "run it again"}, true},
		{section{"ran", "asked and ran"}, true},
		{section{"how", "how to read the numbers"}, true},
	} {
		if x.there {
			p.Sections = append(p.Sections, x.section)
		}
	}
	return pageTemplate.Execute(w, p)
}

func sourceHash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

// linkFrom names the folder in which the HTML will be.
func (s *Summary) linkFrom(dir string) error {
	from, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	run, err := filepath.Abs(s.dir)
	if err != nil {
		return err
	}
	s.links, err = filepath.Rel(from, run)
	return err
}

func (s *Summary) tiles() []Fact {
	results, infra := s.Results()
	count := func(what string, n int) Fact { return Fact{What: what, Ran: fmt.Sprint(n)} }
	tiles := []Fact{
		count("cells", len(s.Cells)), count("results", results),
		count("crashes", total(s.Cells, func(c Cell) int { return c.Crash })),
		count("hangs", total(s.Cells, func(c Cell) int { return c.Hang })),
		count("guest panics", total(s.Cells, func(c Cell) int { return c.GuestPanic })),
		count("infra, in no rate", infra),
	}
	if v := s.Verification; v != nil {
		tiles = append(tiles, Fact{What: "run twice, identical", Ran: fmt.Sprintf("%d/%d", v.Identical, v.Checked)})
	}
	if n := len(s.Expect); n > 0 {
		met := 0
		for _, j := range s.Expect {
			if j.Verdict == matrix.Met {
				met++
			}
		}
		tiles = append(tiles, Fact{What: "as expected", Ran: fmt.Sprintf("%d/%d", met, n)})
	}
	return tiles
}

// claims are the judgements of the matrix's expectations: those that are not met,
// and those that are, which one has to ask for.
type claims struct {
	Open, Met []claim
	More      int
}

type claim struct{ Class, Verdict, Cell, Claim, Why string }

var verdictClass = map[matrix.Verdict]string{matrix.Met: "good", matrix.Undecided: "warn", matrix.Unmet: "bad"}

func (s *Summary) claims() *claims {
	if len(s.Expect) == 0 {
		return nil
	}
	c := &claims{More: max(0, len(s.Expect)-maxClaims)}
	for _, v := range []matrix.Verdict{matrix.Unmet, matrix.Undecided, matrix.Met} {
		rows := &c.Open
		if v == matrix.Met {
			rows = &c.Met
		}
		for _, j := range s.Expect {
			if j.Verdict == v && len(c.Open)+len(c.Met) < maxClaims {
				*rows = append(*rows, claim{verdictClass[v], string(v), s.name(j.Cell), visible.Text(j.Expectation.String(), false), visible.Text(j.Why, false)})
			}
		}
	}
	return c
}

type effectRow struct{ Class, Verdict, Sentence string }

func (s *Summary) effectRows() []effectRow {
	classes := map[stat.Verdict]string{stat.Matters: "matters", stat.NoEffect: "soft", stat.TooFew: "warn"}
	var rows []effectRow
	for _, e := range s.Effects {
		rows = append(rows, effectRow{classes[e.Verdict], string(e.Verdict), visible.Text(e.Sentence, false)})
	}
	return rows
}

type huntRows struct {
	Cell, Sum string
	Arms      []armRow
}

type armRow struct {
	Arm           string
	Trials, Found int
	Spent         string
}

func (s *Summary) huntRows() []huntRows {
	if !s.Hunted() {
		return nil
	}
	var out []huntRows
	for i, c := range s.Cells[:min(len(s.Cells), maxCells)] {
		h := huntRows{Sum: c.hunted()}
		if len(s.varied) > 0 {
			h.Cell = s.name(i)
		}
		for _, a := range s.arms(i) {
			h.Arms = append(h.Arms, armRow{a.Arm.String(), a.Trials, a.Found, a.Spent.String()})
		}
		out = append(out, h)
	}
	return out
}

// how explains the numbers that are there.
func (s *Summary) how() []paragraph {
	out := []paragraph{
		{"Infra", "A trial that gave no result because the lab's own machinery failed (a QEMU that died, a guest that did not boot) is tried again, then counted as infra. It is in no rate and in no n."},
		{"Outcomes", "A crash is an end with a signature: a fatal error, a signal, a failed exit. A hang did not end in its time limit. A guest panic took the kernel with it. The rate counts crashes; hangs and guest panics are results that are no crashes."},
	}
	if !s.Hunted() {
		effects := "The axes have too many values to compare them all."
		if s.Test != "" {
			effects = "Two values of an axis are compared in cells that agree in all other axes, so that no other axis can feign an effect. The test is " + s.Test + ": the probability that anything at all is called an effect wrongly is at most 5 %. No effect shown is not no effect: the sentence says which differences are excluded."
		}
		out = append([]paragraph{
			{"Interval", "The rate of a cell is an estimate. In 95 of 100 runs such an interval holds the true rate; what lies outside of it is not excluded for certain. 0 of 10 is no proof of never: its interval reaches to 31 %. Here: " + s.method() + ". An exact interval is for a number of trials that was fixed beforehand; an anytime-valid one, which is wider, for a number that results could decide."},
			{"Effects", effects},
		}, out...)
	}
	if len(s.Limits) > 0 {
		out = append(out, paragraph{"What this platform cannot show", strings.Join(s.Limits, " ")})
	}
	return out
}
