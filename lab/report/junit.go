package report

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"time"

	"ghostlab/lab/matrix"
	"ghostlab/lab/visible"
)

// The usual JUnit format, as Jenkins' and GitHub's readers take it: the order of
// fields is that of Jenkins' schema (junit-10.xsd of its xunit plugin).
type (
	junitSuites struct {
		XMLName xml.Name `xml:"testsuites"`
		Suite   junitSuite
	}
	junitSuite struct {
		XMLName    xml.Name        `xml:"testsuite"`
		Name       string          `xml:"name,attr"`
		Tests      int             `xml:"tests,attr"`
		Failures   int             `xml:"failures,attr"`
		Errors     int             `xml:"errors,attr"`
		Skipped    int             `xml:"skipped,attr"`
		Time       string          `xml:"time,attr"`
		Timestamp  string          `xml:"timestamp,attr"`
		Properties []junitProperty `xml:"properties>property"`
		Cases      []junitCase     `xml:"testcase"`
	}
	junitProperty struct {
		Name  string `xml:"name,attr"`
		Value string `xml:"value,attr"`
	}
	junitCase struct {
		Class   string        `xml:"classname,attr"`
		Name    string        `xml:"name,attr"`
		Time    string        `xml:"time,attr"`
		Skipped *junitProblem `xml:"skipped"`
		Error   *junitProblem `xml:"error"`
		Failure *junitProblem `xml:"failure"`
		Out     string        `xml:"system-out"`
	}
	junitProblem struct {
		Message string `xml:"message,attr"`
		Type    string `xml:"type,attr,omitempty"`
		Text    string `xml:",chardata"`
	}
)

// JUnit writes a cell as a test case: it fails where an expectation is unmet, is
// an error where only the lab's own machinery failed, and is skipped where it
// has not run or its expectations are undecided. A cell of which nothing is
// expected passes.
func (s *Summary) JUnit(out io.Writer) error {
	suite := junitSuite{
		Name: visible.Text(s.Scenario, false), Tests: len(s.Cells), Time: seconds(0),
		Timestamp: s.run.Started.UTC().Format("2006-01-02T15:04:05"),
	}
	for _, f := range s.facts() {
		suite.Properties = append(suite.Properties, junitProperty{visible.Text(f.What, false), visible.Text(f.Ran, false)})
	}
	var sum time.Duration
	for i, c := range s.Cells {
		sum += c.Time
		t := s.junitCase(i)
		switch {
		case t.Error != nil:
			suite.Errors++
		case t.Failure != nil:
			suite.Failures++
		case t.Skipped != nil:
			suite.Skipped++
		}
		suite.Cases = append(suite.Cases, t)
	}
	suite.Time = seconds(sum)
	if _, err := io.WriteString(out, xml.Header); err != nil {
		return err
	}
	enc := xml.NewEncoder(out)
	enc.Indent("", "  ")
	if err := enc.Encode(junitSuites{Suite: suite}); err != nil {
		return err
	}
	_, err := io.WriteString(out, "\n")
	return err
}

func (s *Summary) junitCase(i int) junitCase {
	c := s.Cells[i]
	t := junitCase{Class: visible.Text(s.Scenario, false), Name: s.name(i), Time: seconds(c.Time), Out: s.counts(c)}
	verdicts := map[matrix.Verdict][]string{}
	for _, j := range s.Expect {
		if j.Cell == i {
			verdicts[j.Verdict] = append(verdicts[j.Verdict], visible.Text(fmt.Sprintf("expected %s: %s", j.Expectation, j.Why), false))
		}
	}
	problem := func(kind string, lines []string) *junitProblem {
		return &junitProblem{Message: lines[0], Type: kind, Text: strings.Join(lines, "\n")}
	}
	unmet, undecided := verdicts[matrix.Unmet], verdicts[matrix.Undecided]
	switch {
	case c.N == 0 && c.Infra > 0:
		t.Error = problem("infra", []string{fmt.Sprintf("no result: %s failed in the lab's own machinery", plural(c.Infra, "trial"))})
	case c.N == 0:
		t.Skipped = problem("", []string{"no trial has run"})
	case unmet != nil:
		t.Failure = problem("expectation", unmet)
	case undecided != nil:
		t.Skipped = problem("", undecided)
	}
	return t
}

// counts are a cell's numbers, a line each.
func (s *Summary) counts(c Cell) string {
	var b strings.Builder
	fmt.Fprintf(&b, "results %d: pass %d, crash %d, hang %d, guest panic %d; infra %d\n", c.N, c.Pass, c.Crash, c.Hang, c.GuestPanic, c.Infra)
	if c.N > 0 && !s.Hunted() {
		fmt.Fprintf(&b, "crash rate %s, 95 %% interval %s\n", c.rate(), c.interval())
	}
	for i, g := range c.Signatures {
		if i == maxLines {
			fmt.Fprintf(&b, "and %d more signatures\n", len(c.Signatures)-maxLines)
			break
		}
		fmt.Fprintf(&b, "%d x %s\n", g.Count, visible.Text(g.Title, false))
	}
	return b.String()
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.3f", d.Seconds()) }
