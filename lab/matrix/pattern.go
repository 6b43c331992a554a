package matrix

import (
	"slices"
	"strings"

	"ghostlab/lab/suggest"
)

// Pattern selects cells: those that have, on each axis named, one of its values.
// The zero value selects all.
type Pattern []Axis

// Matches says whether the pattern selects a cell.
func (p Pattern) Matches(c Cell) bool {
	for _, a := range p {
		v, ok := c.Axes[a.Name]
		if !ok || !slices.Contains(a.Values, v) {
			return false
		}
	}
	return true
}

// String names the pattern as flags and error messages do.
func (p Pattern) String() string {
	if len(p) == 0 {
		return "all cells"
	}
	var parts []string
	for _, a := range p {
		parts = append(parts, a.Name+"="+strings.Join(a.Values, ","))
	}
	return strings.Join(parts, " ")
}

// patternOf is the pattern that was read.
func patternOf(v value) Pattern {
	var p Pattern
	for _, e := range v.fields {
		p = append(p, Axis{e.key.text, e.value.texts()})
	}
	return p
}

// matches checks that a pattern matches one of the cells, whose axes are given,
// and that each of its names and values occurs there.
func (v value) matches(what string, axes []Axis, cells []Cell) error {
	for _, e := range v.fields {
		i := slices.IndexFunc(axes, func(a Axis) bool { return a.Name == e.key.text })
		if i < 0 {
			var names []string
			for _, a := range axes {
				names = append(names, a.Name)
			}
			return advised(e.key.fail("%s: no cell has the axis %q", what, e.key.text), suggest.Advice(e.key.text, names))
		}
		for _, x := range e.value.list {
			if !slices.Contains(axes[i].Values, x.text) {
				return advised(x.fail("%s: no cell has %s=%s", what, e.key.text, x.text), suggest.Advice(x.text, axes[i].Values))
			}
		}
	}
	if p := patternOf(v); !slices.ContainsFunc(cells, p.Matches) {
		return v.fail("%s: no cell has %s", what, p)
	}
	return nil
}

// narrow keeps the cells that match the patterns of flags, each an axis with
// alternatives: "gomaxprocs=1,2".
func (m *Matrix) narrow(f *form, only []Flag) error {
	all := m.all()
	axes := axesOf(m.names(), all)
	pattern, _ := f.field(KeyAxes)
	for _, flag := range only {
		v := value{from: &source{flag.Words, true}, isMap: true}
		key := value{from: v.from, text: flag.Name}
		x, ok := pattern.form.field(flag.Name)
		if !ok {
			return pattern.form.unknownKey(key, "")
		}
		list, err := x.form.readFlag(v.from, pattern.form.labelOf("", flag.Name), flag.Value)
		if err == nil {
			v.fields = []entry{{key, list}}
			err = v.matches("only", axes, m.Cells())
		}
		if alone := f.alone(flag); err != nil && alone != "" {
			err = advised(key.fail("only: want one axis to a flag, got %q", flag.Name+"="+flag.Value), alone)
		}
		if err != nil {
			return err
		}
		m.Only = append(m.Only, patternOf(v))
	}
	return nil
}
