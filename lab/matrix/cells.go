package matrix

import (
	"maps"
	"slices"
	"sort"
	"strconv"
	"strings"
)

// Axis is a parameter and the values it takes, in the file's order.
type Axis struct {
	Name   string   `json:"name"`
	Values []string `json:"values"`
}

// Cell is one combination of axis values.
type Cell struct {
	// Index is its place in the plan, from 0.
	Index int `json:"index"`
	// Axes are the values by axis name. A cell of a matrix has them all, but for
	// environment variables that are not set there.
	Axes map[string]string `json:"axes"`
}

// Label names the cell by the values of the given axes.
func (c Cell) Label(axes []Axis) string {
	var parts []string
	for _, a := range axes {
		if v, ok := c.Axes[a.Name]; ok {
			parts = append(parts, a.Name+"="+v)
		}
	}
	if parts == nil {
		return "all"
	}
	return strings.Join(parts, " ")
}

// Env returns the environment variables that the cell sets, sorted.
func (c Cell) Env() []string {
	var env []string
	for name, v := range c.Axes {
		if n, ok := strings.CutPrefix(name, EnvPrefix); ok {
			env = append(env, n+"="+v)
		}
	}
	sort.Strings(env)
	return env
}

// mostCells is what the axes may span. A matrix with more is a mistake.
const mostCells = 100_000

// combinations is the number of cells that the axes span, or more than
// mostCells.
func combinations(axes []Axis) int {
	n := 1
	for _, a := range axes {
		if n *= len(a.Values); n > mostCells {
			break
		}
	}
	return n
}

// spanned returns the product of all axes; the last varies fastest.
func (m *Matrix) spanned() []Cell {
	cells := []Cell{{Axes: map[string]string{}}}
	for _, a := range m.Axes {
		var next []Cell
		for _, c := range cells {
			for _, v := range a.Values {
				values := maps.Clone(c.Axes)
				values[a.Name] = v
				next = append(next, Cell{Axes: values})
			}
		}
		cells = next
	}
	return cells
}

// Cells returns the cells of the matrix, numbered from 0: what the axes span,
// then what is included.
func (m *Matrix) Cells() []Cell {
	cells := m.all()
	cells = slices.DeleteFunc(cells, func(c Cell) bool {
		return slices.ContainsFunc(m.Only, func(p Pattern) bool { return !p.Matches(c) })
	})
	for i := range cells {
		cells[i].Index = i
	}
	return cells
}

// all returns the cells whatever Only says.
func (m *Matrix) all() []Cell {
	cells := slices.DeleteFunc(m.spanned(), func(c Cell) bool {
		return slices.ContainsFunc(m.Exclude, func(p Pattern) bool { return p.Matches(c) })
	})
	for _, values := range m.Include {
		c := Cell{Axes: map[string]string{}} // also where values is nil
		maps.Copy(c.Axes, values)
		cells = append(cells, c)
	}
	for _, name := range m.names() {
		preset, ok := m.preset(name)
		for _, c := range cells {
			if _, has := c.Axes[name]; !has && ok {
				c.Axes[name] = preset
			}
		}
	}
	return cells
}

// names are those of all axes that some cell is named by, in the file's order.
func (m *Matrix) names() []string {
	var names []string
	for _, a := range m.Axes {
		names = append(names, a.Name)
	}
	for _, values := range m.Include {
		for _, name := range slices.Sorted(maps.Keys(values)) {
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	return names
}

// preset is the value of an axis in cells that do not name it.
func (m *Matrix) preset(axis string) (string, bool) {
	switch axis {
	case AxisEngine:
		return m.Engine, true
	case AxisShift:
		return strconv.Itoa(m.Shift), true
	case AxisIsolation:
		return m.Isolation, true
	}
	if s := m.Scenario; s != nil {
		if p, ok := s.Params[axis]; ok {
			return p.Default.Text, !p.Optional
		}
	}
	v, ok := m.presets[axis]
	return v, ok
}

// Varied returns all axes by which the matrix's cells are told apart, each with
// the values that occur in them.
func (m *Matrix) Varied() []Axis { return axesOf(m.names(), m.Cells()) }

func axesOf(names []string, cells []Cell) []Axis {
	var axes []Axis
	for _, name := range names {
		a := Axis{Name: name}
		seen := map[string]bool{}
		for _, c := range cells {
			if v, ok := c.Axes[name]; ok && !seen[v] {
				seen[v] = true
				a.Values = append(a.Values, v)
			}
		}
		axes = append(axes, a)
	}
	return axes
}

// EngineOf is the engine of a cell.
func (m *Matrix) EngineOf(c Cell) string { return c.Or(AxisEngine, m.Engine) }

// IsolationOf is the isolation of a cell.
func (m *Matrix) IsolationOf(c Cell) string { return c.Or(AxisIsolation, m.Isolation) }

// VCPUs is the number of a cell's vCPUs, or the preset.
func (c Cell) VCPUs(preset int) int {
	if n, err := strconv.Atoi(c.Axes[AxisVCPUs]); err == nil {
		return n
	}
	return preset
}

// Memory is the memory of a cell's guests in MiB, or the preset.
func (c Cell) Memory(preset int) int {
	if mib, err := ParseMemory(c.Axes[AxisMemory]); err == nil {
		return mib
	}
	return preset
}

// Or is the cell's value of an axis, or the preset where it has none.
func (c Cell) Or(axis, preset string) string {
	if v, ok := c.Axes[axis]; ok {
		return v
	}
	return preset
}
