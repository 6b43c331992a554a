package report

import (
	"fmt"
	"slices"
	"strings"

	"al.essio.dev/pkg/shellescape"

	"ghostlab/lab/matrix"
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
	values := func(a matrix.Axis) string {
		if c != nil {
			return list([]string{c.on(a.Name)})
		}
		return list(a.Values)
	}
	words := []string{"lab"}
	switch {
	case r.Own != nil:
		words = append(words, "try", r.Own.Package)
		words = append(words, own(r.Own)...)
		for _, a := range r.Axes {
			if env, ok := strings.CutPrefix(a.Name, matrix.EnvPrefix); ok {
				words = append(words, "--env", env+"="+values(a))
			} else if a.Name == matrix.AxisGo {
				words = append(words, "--go", values(a))
			} else {
				words = append(words, "--axis", a.Name+"="+values(a))
			}
		}
		if s.Hunted() {
			words = append(words, "--hunt")
		}
	case r.Matrix == "": // of `lab hunt`
		words = append(words, "hunt", s.Scenario)
		for _, a := range r.Axes {
			words = append(words, "--set", a.Name+"="+values(a))
		}
	default:
		words = append(words, "run", r.Matrix)
		for _, a := range r.Axes {
			if len(a.Values) == 1 {
				words = append(words, "--set", a.Name+"="+values(a)) // by the file, or by a flag
			}
		}
		if c != nil {
			for _, a := range s.varied {
				if c.on(a.Name) == none {
					continue
				}
				words = append(words, "--only", a.Name+"="+values(a))
			}
		}
	}
	words = append(append(words, s.settings()...), s.machine()...)
	if r.Own == nil {
		return shell(words)
	}
	if args := slices.DeleteFunc(slices.Clone(r.Own.Args), isTestFlag); len(args) > 0 {
		words = append(append(words, "--"), args...)
	}
	return shell([]string{"cd", r.Own.Dir}) + " && " + shell(words)
}

// settings are flags for what the matrix's file may say otherwise.
func (s *Summary) settings() []string {
	words := []string{"--seed", fmt.Sprint(s.run.Seed)}
	if s.Hunted() {
		return words
	}
	words = append(words, "--trials", fmt.Sprint(s.run.Trials))
	for _, x := range []struct{ axis, value string }{{matrix.AxisEngine, s.Engine}, {matrix.AxisIsolation, s.Isolation}} {
		if !s.hasAxis(x.axis) {
			words = append(words, "--"+x.axis, x.value)
		}
	}
	return words
}

// machine are flags for what settings of the reader's may say otherwise.
func (s *Summary) machine() (words []string) {
	r := s.run
	for _, x := range []struct{ axis, flag, value string }{
		{matrix.AxisGo, "--go", r.Go},
		{matrix.AxisVCPUs, "--cpus", fmt.Sprint(r.Guest.VCPUs)},
		{matrix.AxisCPU, "--cpu", r.Guest.CPU},
		{matrix.AxisMemory, "--memory", fmt.Sprint(r.Guest.Memory)},
	} {
		if !s.hasAxis(x.axis) && !(s.Hunted() && matrix.HuntChooses(x.axis)) {
			words = append(words, x.flag, x.value)
		}
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
	case p.CC != "":
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

// list is values as --env and --axis take them.
func list(values []string) string {
	quoted := make([]string, len(values))
	for i, v := range values {
		if strings.ContainsAny(v, `,"`) {
			v = `"` + strings.ReplaceAll(v, `"`, `""`) + `"`
		}
		quoted[i] = v
	}
	return strings.Join(quoted, ",")
}

// shell joins words to a line that a shell splits into the same words. What a
// terminal would obey does not come through it.
func shell(words []string) string { return visible(shellescape.QuoteCommand(words), false) }
