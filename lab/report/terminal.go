package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"ghostlab/lab/matrix"
)

// JSON writes the summary as one document.
func (s *Summary) JSON(w io.Writer) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(s)
}

// Terminal writes the summary for people: what ran, and a line for each cell.
func (s *Summary) Terminal(out io.Writer) error {
	w := &bytes.Buffer{}
	fmt.Fprintf(w, "run     %s (%s)\n", s.Run, s.dir)
	fmt.Fprintf(w, "kernel  %s\n", s.kernel())
	fmt.Fprintf(w, "go      %s\n", s.goVersions())
	fmt.Fprintf(w, "qemu    %s, %s engine, isolation %s\n", s.QEMU, s.engines(), s.Isolation)
	if v := s.Verification; v != nil {
		fmt.Fprintf(w, "checked %d deterministic trials were run again: identical %d/%d\n", v.Checked, v.Identical, v.Checked)
	}
	if fixed := s.fixed(); fixed != "" {
		fmt.Fprintf(w, "fixed   %s\n", fixed)
	}
	fmt.Fprintln(w)

	if s.Search != "" {
		s.hunted(w)
		_, err := out.Write(w.Bytes())
		return err
	}
	varied := s.varied()
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, a := range varied {
		fmt.Fprintf(t, "%s\t", a.Name)
	}
	fmt.Fprint(t, "n\tcrashes\trate\t95 % interval\thangs\tpanics\tinfra\tmost frequent signature\n")
	for _, c := range s.Cells {
		for _, a := range varied {
			fmt.Fprintf(t, "%s\t", c.Axes[a.Name])
		}
		fmt.Fprintf(t, "%d\t%d\t%s\t%s\t%d\t%d\t%d\t%s\n", c.N, c.Crash, c.rate(), c.interval(), c.Hang, c.GuestPanic, c.Infra, c.top())
	}
	if err := t.Flush(); err != nil {
		return err
	}
	results, infra := s.Results()
	if missing := s.Planned - results - infra; missing > 0 {
		fmt.Fprintf(w, "\n%d of %d trials have not run\n", missing, s.Planned)
	}
	if infra > 0 {
		fmt.Fprintf(w, "\n%d trials gave no result because the lab's own machinery failed; they are in no rate\n", infra)
	}
	_, err := out.Write(w.Bytes())
	return err
}

func (s *Summary) kernel() string {
	k := s.Kernel
	ran := k.Release
	if ran == "" {
		ran = k.Ran
	}
	if k.StandIn {
		return fmt.Sprintf("asked %s, ran %s (stand-in)", k.Asked, ran)
	}
	return ran
}

func (s *Summary) goVersions() string { return s.valuesOf(matrix.AxisGo, s.Go) }

func (s *Summary) engines() string {
	e := s.valuesOf(matrix.AxisEngine, s.Engine)
	if s.Accelerator != "" && s.Accelerator != "tcg" {
		e = strings.Replace(e, matrix.Parallel, matrix.Parallel+" ("+s.Accelerator+")", 1)
	}
	return e
}

// valuesOf are those of an axis, or the one that holds without it.
func (s *Summary) valuesOf(axis, preset string) string {
	for _, a := range s.axes {
		if a.Name == axis {
			return strings.Join(a.Values, ", ")
		}
	}
	return preset
}

// varied are the axes with more than one value, fixed the others.
func (s *Summary) varied() []matrix.Axis {
	var out []matrix.Axis
	for _, a := range s.axes {
		if len(a.Values) > 1 {
			out = append(out, a)
		}
	}
	return out
}

func (s *Summary) fixed() string {
	var out []string
	for _, a := range s.axes {
		if len(a.Values) == 1 {
			out = append(out, a.Name+"="+a.Values[0])
		}
	}
	return strings.Join(out, " ")
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
	return percent(*c.Low) + " to " + percent(*c.High)
}

func percent(p float64) string { return fmt.Sprintf("%.1f %%", 100*p) }

func (c Cell) top() string {
	if len(c.Signatures) == 0 {
		return "-"
	}
	s := c.Signatures[0].Title
	if rest := len(c.Signatures) - 1; rest > 0 {
		s += fmt.Sprintf(" (and %d more)", rest)
	}
	return s
}
