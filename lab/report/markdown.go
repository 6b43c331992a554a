package report

import (
	"bytes"
	"fmt"
	"io"
	"regexp"
	"strings"

	"ghostlab/lab/visible"
)

// maxRows is the number of cells in a Markdown table: a GitHub comment has room
// for 65536 characters.
const maxRows = 150

// Markdown writes the summary for a comment or the summary of a CI job.
func (s *Summary) Markdown(out io.Writer) error {
	w := &bytes.Buffer{}
	fmt.Fprintf(w, "## %s\n\n%s\n\n", markdownText(s.Scenario), markdownText(s.Headline()))
	if s.Hunted() {
		s.markdownHunts(w)
	} else {
		s.markdownCells(w)
	}
	s.markdownSignatures(w)
	for _, note := range append(s.notes(), s.claimNotes()...) {
		fmt.Fprintf(w, "> %s\n\n", markdownText(note))
	}
	fmt.Fprint(w, "<details><summary>What was asked and what ran</summary>\n\n")
	rows := newMarkdownTable(w, "", "asked", "ran")
	for _, f := range s.facts() {
		rows(markdownText(f.What), markdownText(f.Asked), markdownText(f.Ran))
	}
	fmt.Fprintln(w)
	for _, l := range s.Limits {
		fmt.Fprintf(w, "- %s\n", markdownText(l))
	}
	fmt.Fprint(w, "\n</details>\n")
	_, err := out.Write(w.Bytes())
	return err
}

func (s *Summary) markdownCells(w io.Writer) {
	t := s.cellTable()
	names := make([]string, len(t.columns))
	for i, c := range t.columns {
		names[i] = markdownText(c.name)
		if c.right {
			names[i] += rightAligned
		}
	}
	rows := newMarkdownTable(w, names...)
	for row := range min(t.rows, maxRows) {
		values := make([]string, len(t.columns))
		for i, c := range t.columns {
			text, st := c.cell(row)
			values[i] = markdownText(text)
			if st == strong || st == bad {
				values[i] = "**" + values[i] + "**"
			}
		}
		rows(values...)
	}
	if t.rows > maxRows {
		fmt.Fprintf(w, "\nand %d more cells\n", t.rows-maxRows)
	}
	fmt.Fprintf(w, "\n95 %% intervals: %s.", s.method())
	if fixed := s.fixed(); fixed != "" {
		fmt.Fprintf(w, " In all cells: %s.", markdownCode(fixed))
	}
	fmt.Fprint(w, "\n\n")
	for _, e := range s.Effects {
		fmt.Fprintf(w, "- %s\n", markdownText(e.Sentence))
	}
	fmt.Fprintln(w)
}

func (s *Summary) markdownSignatures(w io.Writer) {
	if len(s.Signatures) == 0 {
		return
	}
	rows := newMarkdownTable(w, "count"+rightAligned, "outcome", "signature", "first trial"+rightAligned)
	for _, g := range s.Signatures[:min(len(s.Signatures), maxLines)] {
		rows(fmt.Sprint(g.Count), string(g.Outcome), markdownCode(g.Title), fmt.Sprint(g.Trials[0].N))
	}
	if more := len(s.Signatures) - maxLines; more > 0 {
		fmt.Fprintf(w, "\nand %d more signatures\n", more)
	}
	fmt.Fprintln(w)
}

// rightAligned marks a column of numbers.
const rightAligned = "\x00"

// newMarkdownTable writes a table's head and returns what writes its rows.
func newMarkdownTable(w io.Writer, names ...string) func(values ...string) {
	row := func(values ...string) {
		for i, v := range values {
			values[i] = strings.ReplaceAll(v, "|", `\|`) // holds in code too
		}
		fmt.Fprintf(w, "| %s |\n", strings.Join(values, " | "))
	}
	rules := make([]string, len(names))
	for i, n := range names {
		rules[i] = "---"
		if names[i] = strings.TrimSuffix(n, rightAligned); names[i] != n {
			rules[i] = "--:"
		}
	}
	row(names...)
	row(rules...)
	return row
}

// markdownText shows text as it is: nothing in it is markup, a link, a mention
// or HTML.
func markdownText(text string) string {
	return bareLink.ReplaceAllString(markdownEscapes.Replace(visible.Text(text, false)), "$1<!-- -->.")
}

// A mention or a link of GitHub's is broken by an empty comment.
var bareLink = regexp.MustCompile(`(?i)(www)\.`)

var markdownEscapes = strings.NewReplacer(
	`\`, `\\`, "`", "\\`", "*", `\*`, "_", `\_`, "[", `\[`, "]", `\]`, "#", `\#`, "~", `\~`, "$", `\$`,
	"<", "&lt;", ">", "&gt;", "&", "&amp;", "@", "@<!-- -->", "://", ":<!-- -->//",
)

// markdownCode shows text in a code span, whose fence is longer than any in it.
func markdownCode(text string) string {
	text = visible.Text(text, false)
	fence := "`"
	for strings.Contains(text, fence) {
		fence += "`"
	}
	if len(fence) > 1 || text == "" {
		return fence + " " + text + " " + fence
	}
	return fence + text + fence
}

func (s *Summary) markdownHunts(w io.Writer) {
	for i, c := range s.Cells {
		if len(s.varied) > 0 {
			fmt.Fprintf(w, "%s\n\n", markdownCode(s.name(i)))
		}
		rows := newMarkdownTable(w, "schedule", "trials"+rightAligned, "found"+rightAligned, "time"+rightAligned)
		for _, a := range s.arms(i) {
			rows(a.Arm.String(), fmt.Sprint(a.Trials), fmt.Sprint(a.Found), a.Spent.String())
		}
		fmt.Fprintf(w, "\n%s\n\n", c.hunted())
	}
}
