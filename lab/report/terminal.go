package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"golang.org/x/term"

	"ghostlab/lab/journal"
	"ghostlab/lab/matrix"
	"ghostlab/lab/stat"
	"ghostlab/lab/visible"
)

// JSON writes the summary as one document.
func (s *Summary) JSON(w io.Writer) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(s)
}

// Terminal writes the summary for people: what ran, a line for each cell, and
// what failed. It is coloured on a terminal only, and not where NO_COLOR is set.
func (s *Summary) Terminal(out io.Writer) error { return s.terminal(out, screenOf(out)) }

// screen is what the summary is written on. The zero value has no colours and
// lines of any length.
type screen struct {
	width  int
	colour bool
}

func screenOf(w io.Writer) screen {
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return screen{}
	}
	width, _, _ := term.GetSize(int(f.Fd()))
	return screen{width, os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"}
}

func (s *Summary) terminal(out io.Writer, on screen) error {
	w := &bytes.Buffer{}
	line := func(what, text string) {
		if text != "" {
			fmt.Fprintf(w, "%s %s\n", on.paint(faint, fmt.Sprintf("%-7s", what)), visible.Text(text, false))
		}
	}
	line("run", fmt.Sprintf("%s (%s)", s.Run, Near(s.dir)))
	if _, err := os.Stat(s.HTMLFile()); err == nil {
		line("report", Near(s.HTMLFile()))
	}
	for _, k := range s.Kernels {
		line("kernel", kernel(k))
	}
	line("go", s.valuesOf(matrix.AxisGo, s.Go))
	line("qemu", s.platform())
	line("memory", s.MemoryOrder.line())
	line("checked", s.checked())
	line("fixed", s.fixed())
	fmt.Fprintln(w)
	if s.Hunted() {
		s.hunted(w, on)
	} else {
		s.cellTable().write(w, on)
		fmt.Fprintln(w, on.paint(faint, "intervals: "+s.method()))
		s.effectLines(w, on)
	}
	s.signatureLines(w, on)
	for _, note := range s.notes() {
		fmt.Fprintf(w, "\n%s\n", on.wrap(note))
	}
	for i, note := range s.claimNotes() {
		if i == 0 {
			fmt.Fprintln(w)
		}
		fmt.Fprintln(w, on.wrap(note))
	}
	_, err := out.Write(w.Bytes())
	return err
}

// Near is a path as it is typed in the working folder.
func Near(path string) string {
	if cwd, err := os.Getwd(); err == nil {
		if rel, err := filepath.Rel(cwd, path); err == nil && filepath.IsLocal(rel) {
			return rel
		}
	}
	return path
}

// cellTable has a line for each cell. Columns that are zero throughout are left
// out.
func (s *Summary) cellTable() *table {
	t := &table{labels: len(s.varied)}
	for _, a := range s.varied {
		t.column(visible.Text(a.Name, false), func(i int) (string, style) { return visible.Text(s.Cells[i].on(a.Name), false), normal })
	}
	count := func(name string, of func(Cell) int, as style) {
		if total(s.Cells, of) > 0 {
			t.number(name, func(i int) (string, style) {
				if n := of(s.Cells[i]); n > 0 {
					return fmt.Sprint(n), as
				}
				return "0", faint
			})
		}
	}
	t.number("n", func(i int) (string, style) { return fmt.Sprint(s.Cells[i].N), normal })
	t.number("crashes", func(i int) (string, style) { return fmt.Sprint(s.Cells[i].Crash), normal })
	t.number("rate", func(i int) (string, style) {
		if s.Cells[i].Crash > 0 {
			return s.Cells[i].rate(), strong
		}
		return s.Cells[i].rate(), faint
	})
	t.number("95 % interval", func(i int) (string, style) { return s.Cells[i].interval(), normal })
	count("hangs", func(c Cell) int { return c.Hang }, warning)
	count("panics", func(c Cell) int { return c.GuestPanic }, warning)
	count("infra", func(c Cell) int { return c.Infra }, warning)
	if verdicts := s.verdicts(); len(s.Expect) > 0 {
		t.column("expected", func(i int) (string, style) {
			v := verdicts[i]
			return string(v), map[matrix.Verdict]style{matrix.Met: good, matrix.Unmet: bad, matrix.Undecided: warning}[v]
		})
	}
	t.rows = len(s.Cells)
	return t
}

func total(cells []Cell, of func(Cell) int) (n int) {
	for _, c := range cells {
		n += of(c)
	}
	return n
}

func (s *Summary) effectLines(w io.Writer, on screen) {
	if len(s.Effects) > 0 {
		fmt.Fprintln(w)
	}
	for _, e := range s.Effects {
		as := normal
		if e.Verdict == stat.Matters {
			as = strong
		}
		fmt.Fprintln(w, on.paint(as, on.wrap(visible.Text(e.Sentence, false))))
	}
}

// maxLines is the number of signatures that a terminal or a comment shows.
const maxLines = 10

func (s *Summary) signatureLines(w io.Writer, on screen) {
	if len(s.Signatures) == 0 {
		return
	}
	fmt.Fprintln(w)
	for i, g := range s.Signatures {
		if i == maxLines {
			fmt.Fprintf(w, "        and %d more signatures\n", len(s.Signatures)-maxLines)
			break
		}
		fmt.Fprintln(w, on.wrap(fmt.Sprintf("%6d  %s (%s, trial %d)", g.Count, visible.Text(g.Title, false), g.Outcome, g.Trials[0].N)))
	}
}

// notes are sentences about what the numbers leave out.
func (s *Summary) notes() []string {
	var notes []string
	if s.Missing > 0 {
		note := fmt.Sprintf("%d of %d trials have not run", s.Missing, s.Planned)
		if journal.Running(s.dir) {
			note += " yet"
		} else {
			note += "; this runs them: " + shell([]string{"lab", "run", "--resume", Near(s.dir)})
		}
		notes = append(notes, note)
	}
	if n := len(s.run.Stopped); n > 0 {
		notes = append(notes, fmt.Sprintf("%s of %d ended early by the matrix's stop rule", plural(n, "cell"), len(s.Cells)))
	}
	if !s.run.Shard.Whole() {
		notes = append(notes, fmt.Sprintf("this is part %s of the matrix", s.run.Shard))
	}
	if _, infra := s.Results(); infra > 0 {
		notes = append(notes, fmt.Sprintf("%d trials gave no result because the lab's own machinery failed; they are in no rate", infra))
	}
	if s.MemoryOrder != nil && s.MemoryOrder.Verdict != journal.OrderKept {
		notes = append(notes, "a crash here may be the emulator's: its memory order is not known to be Arm's; the deterministic engine has no such doubt")
	}
	if s.uncompared {
		notes = append(notes, "the axes have too many values to compare them all: what the rate depends on is not tested")
	}
	if s.Unchecked > 0 {
		notes = append(notes, fmt.Sprintf("none of %d deterministic trials has been run again to see whether they repeat: the lab that ran them was ended before it came to that, or had --verify 0; this checks some: %s",
			s.Unchecked, shell([]string{"lab", "run", "--resume", Near(s.dir)})))
	}
	if s.Unkept > 0 {
		notes = append(notes, fmt.Sprintf("of %d failing trials there is a record but no evidence: the first %d of each signature in each cell have some, and after that one each time their number has doubled (`failures` in the matrix's `collect` changes it)", s.Unkept, s.run.Collect.Failures))
	}
	if s.Beyond > 0 {
		notes = append(notes, fmt.Sprintf("%d failures have signatures beyond the first %d", s.Beyond, maxSignatures))
	}
	for i, n := range notes {
		notes[i] = visible.Text(n, false)
	}
	return notes
}

func (c Cell) rate() string {
	if c.N == 0 {
		return "-"
	}
	return percent(*c.Rate)
}

func (c Cell) interval() string {
	if c.N == 0 {
		return "-"
	}
	text := fmt.Sprintf("%.1f to %s", 100**c.Low, percent(*c.High))
	if c.Method == Anytime {
		text += anytimeMark
	}
	return text
}

func percent(p float64) string { return fmt.Sprintf("%.1f %%", 100*p) }
