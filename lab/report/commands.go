package report

import (
	"fmt"
	"slices"
	"strings"

	"al.essio.dev/pkg/shellescape"

	"ghostlab/lab/matrix"
	"ghostlab/lab/visible"
	"ghostlab/scenarios"
)

// reproduce are commands that run a matrix, or a cell of it, again.
type reproduce struct {
	Whole string
	Cells []cellCommand
	More  int
}

type cellCommand struct{ Name, ID, Command string }

func (s *Summary) reproduce() reproduce {
	r := reproduce{Whole: s.command(nil)}
	if len(s.varied) > 0 {
		r.More = max(0, len(s.Cells)-maxCommands)
		for i, c := range s.Cells[:min(len(s.Cells), maxCommands)] {
			r.Cells = append(r.Cells, cellCommand{s.name(i), fmt.Sprintf("cell-%d", i), s.command(&c)})
		}
	}
	return r
}

// command runs the matrix again, or only one cell of it.
func (s *Summary) command(c *Cell) string {
	r := s.run
	words := []string{"lab"}
	switch {
	case r.Own != nil:
		words = append(append(words, "try", r.Own.Package), own(r.Own)...)
		if s.Hunted() {
			words = append(words, "--hunt")
		}
	case s.fileless():
		words = append(words, "hunt", s.Scenario)
	default:
		words = append(words, "run", r.Matrix)
	}
	words = append(append(append(words, s.set(c)...), s.settings()...), s.machine()...)
	if r.Own == nil {
		return shell(words)
	}
	if args := slices.DeleteFunc(slices.Clone(r.Own.Args), isTestFlag); len(args) > 0 {
		words = append(append(words, "--"), args...)
	}
	return shell([]string{"cd", r.Own.Dir}) + " && " + shell(words)
}

// fileless says whether the matrix was made of flags alone.
func (s *Summary) fileless() bool { return s.run.Matrix == "" }

// set are the flags that gave the matrix its keys and axes. A cell of a file's is
// one of the matrix's, which --only selects; a matrix without a file is made anew,
// of that cell alone.
func (s *Summary) set(c *Cell) (words []string) {
	add := func(option string, f matrix.Flag) { words = append(words, option, f.String()) }
	for _, f := range s.run.Set {
		if !hasOption(f.Name) && !(c != nil && s.fileless() && s.givesCells(f.Name)) {
			add("--set", f)
		}
	}
	for _, f := range s.run.Only {
		add("--only", f)
	}
	if c == nil {
		return words
	}
	for _, a := range s.run.Axes {
		v, ok := c.Axes[a.Name]
		switch {
		case !ok:
		case s.fileless():
			add("--set", matrix.AxisFlag(a.Name, v))
		case slices.ContainsFunc(s.varied, func(x matrix.Axis) bool { return x.Name == a.Name }):
			add("--only", matrix.Flag{Name: a.Name, Value: matrix.FlagValue(v)})
		}
	}
	return words
}

// hasOption tells the keys that have a flag of their own, see settings.
func hasOption(key string) bool {
	switch key {
	case matrix.KeyTrials, matrix.KeySeed, matrix.KeyEngine, matrix.KeyIsolation, matrix.KeySearch:
		return true
	}
	return false
}

// givesCells tells what decides about cells.
func (s *Summary) givesCells(key string) bool {
	return key == matrix.KeyAxes || key == matrix.KeyExclude || key == matrix.KeyInclude || s.hasAxis(strings.TrimPrefix(key, matrix.KeyAxes+"."))
}

// settings are flags for what the matrix's file may say otherwise.
func (s *Summary) settings() []string {
	words := []string{"--seed", fmt.Sprint(s.run.Seed), "--trials", fmt.Sprint(s.run.Trials)}
	if s.Hunted() {
		return words
	}
	return append(words, "--engine", s.Engine, "--isolation", s.Isolation)
}

// machine are flags for what settings of the reader's may say otherwise.
func (s *Summary) machine() (words []string) {
	r := s.run
	words = append(words, "--go", r.Go, "--cpu", r.Guest.CPU, "--memory", fmt.Sprint(r.Guest.Memory))
	if !s.Hunted() {
		words = append(words, "--cpus", fmt.Sprint(r.Guest.VCPUs))
	}
	for _, k := range r.Kernels {
		if k.Tree != "" {
			return append(words, "--kernel-source", k.Tree)
		}
	}
	if s.hasAxis(matrix.AxisKernel) || len(r.Kernels) == 0 {
		return words
	}
	return append(words, "--kernel", r.Kernels[0].Asked)
}

func (s *Summary) hasAxis(name string) bool {
	return slices.ContainsFunc(s.run.Axes, func(a matrix.Axis) bool { return a.Name == name })
}

// own are the flags of `lab try` that give its program.
func own(p *scenarios.Program) (words []string) {
	for _, arg := range p.Args {
		if expression, ok := strings.CutPrefix(arg, testRun); ok {
			words = append(words, "-run", expression)
			break
		}
	}
	switch {
	case p.Race:
		words = append(words, "-race")
	case p.Cgo:
		words = append(words, "-cgo")
	}
	if p.Tags != "" {
		words = append(words, "-tags", p.Tags)
	}
	return words
}

const testRun = "-test.run="

// isTestFlag tells what `lab try` has added to the arguments.
func isTestFlag(arg string) bool { return strings.HasPrefix(arg, "-test.") }

// shell joins words to a line that a shell splits into the same words. What a
// terminal would obey does not come through it.
func shell(words []string) string { return visible.Text(shellescape.QuoteCommand(words), false) }
