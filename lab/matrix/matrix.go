// Package matrix turns a matrix file into a plan: cells, and trials in the order
// in which they are to run. It reads no files and starts nothing.
package matrix

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"sort"
	"strconv"
	"strings"
	"time"

	"ghostlab/lab/toolchain"
	"ghostlab/scenarios"
)

// Most is the number of trials that needs a "yes": about an hour's work.
const Most = 100_000

// Axes of the lab itself, beside the scenario's parameters. Environment
// variables of the program are axes too: env.NAME.
const (
	AxisGo     = "go"     // the program's toolchain, such as 1.21.6
	AxisVCPUs  = "vcpus"  // of the guest
	AxisEngine = "engine" // Parallel or Deterministic
	AxisShift  = "shift"  // of the deterministic engine
	EnvPrefix  = "env."
)

// labAxes are the lab's own, as an error message lists them.
var labAxes = []string{AxisGo, AxisVCPUs, AxisEngine, AxisShift}

// Engines.
const (
	Parallel      = "parallel"      // vCPUs run at the same time; nothing repeats
	Deterministic = "deterministic" // a trial is a function of image, spec and seed
)

// Hunt is the search that learns which schedules make a program fail.
const Hunt = "hunt"

// Isolations, from the cheapest to the dearest.
const (
	Process = "process" // many trials share a guest
	Fork    = "fork"    // each trial has a clone of a booted guest
	Boot    = "boot"    // each trial boots a guest
)

// Matrix is an experiment: a scenario, axes, and how often.
type Matrix struct {
	Scenario *scenarios.Scenario
	// Trials are those of each cell.
	Trials int
	// Timeout of a trial, in the guest's time.
	Timeout time.Duration
	// Seed orders the trials, and each trial's own seed comes from it.
	Seed uint64
	// Engine and Shift are those of cells without an axis of that name.
	Engine    string
	Shift     int
	Isolation string
	// Search, when Hunt, leaves each trial's schedule to a search for failures.
	Search string
	Axes   []Axis
	Expect []Expectation
	// Stop ends cells early; Trials is then the most that one gets.
	Stop    Stop
	Collect Collect
}

// Axis is a parameter and the values it takes, in the file's order.
type Axis struct {
	Name   string   `json:"name"`
	Values []string `json:"values"`
}

// New is the matrix of a scenario alone: one cell, and the defaults of a file.
func New(s *scenarios.Scenario) *Matrix {
	return &Matrix{Scenario: s, Trials: 100, Timeout: s.Timeout, Seed: 1, Engine: Parallel, Shift: DefaultShift, Isolation: Fork, Collect: DefaultCollect()}
}

// Vary adds an axis.
func (m *Matrix) Vary(name string, values ...string) error {
	for _, a := range m.Axes {
		if a.Name == name {
			return fmt.Errorf("axis %q: it is there twice", name)
		}
	}
	a := axis{name: scenarios.Scalar{Text: name}}
	for _, v := range values {
		a.values = append(a.values, scenarios.Scalar{Text: v})
	}
	var p parser
	m.Axes = append(m.Axes, p.axis(m.Scenario, a))
	return p.err
}

// Parse reads a matrix. find loads the scenario it names. Errors are
// *scenarios.PlaceErrors where they have a place.
func Parse(name string, text []byte, find func(scenario string) (*scenarios.Scenario, error)) (*Matrix, error) {
	f, err := decode(name, text)
	if err != nil {
		return nil, err
	}
	p := parser{name: name}
	if f.Scenario.Text == "" {
		return nil, p.fail(f.Scenario, "scenario: want a name")
	}
	s, err := find(f.Scenario.Text)
	if err != nil {
		return nil, err
	}
	m := New(s)
	p.integer("trials", f.Trials, 1, &m.Trials)
	p.duration("timeout", f.Timeout, &m.Timeout)
	p.seed(f.Seed, &m.Seed)
	p.choice("engine", f.Engine, []string{Parallel, Deterministic}, &m.Engine)
	p.choice("isolation", f.Isolation, []string{Fork, Process, Boot}, &m.Isolation)
	if f.Shift != nil {
		if err := checkShift(f.Shift.Text); err != nil {
			return nil, p.fail(*f.Shift, "shift: %w", err)
		}
		m.Shift, _ = strconv.Atoi(f.Shift.Text)
	}
	p.choice("search", f.Search, []string{Hunt}, &m.Search)
	if m.Search == Hunt {
		p.hunted(f, m)
	}
	for _, a := range f.Axes {
		m.Axes = append(m.Axes, p.axis(m.Scenario, a))
	}
	return m, p.err
}

// hunted checks that the file does not fix what the hunt is to choose.
func (p *parser) hunted(f *file, m *Matrix) {
	if f.Engine != nil && m.Engine == Parallel {
		p.fail(*f.Engine, "engine: a hunt needs the deterministic engine, whose trials can be replayed")
	}
	if f.Isolation != nil && m.Isolation != Process {
		p.fail(*f.Isolation, "isolation: a hunt's trials share guests (process)")
	}
	for _, a := range f.Axes {
		if HuntChooses(a.name.Text) {
			p.fail(a.name, "axis %q: the hunt chooses it", a.name.Text)
		}
	}
	m.Hunted()
}

// HuntChooses says whether an axis is a knob of the hunt's.
func HuntChooses(axis string) bool {
	return axis == AxisEngine || axis == AxisShift || axis == AxisVCPUs
}

// Hunted makes the matrix one whose trials are schedules of a hunt.
func (m *Matrix) Hunted() { m.Search, m.Engine, m.Isolation = Hunt, Deterministic, Process }

// parser keeps the first error.
type parser struct {
	name string
	err  error
}

func (p *parser) fail(at scenarios.Scalar, format string, args ...any) error {
	if p.err == nil {
		p.err = &scenarios.PlaceError{File: p.name, Line: at.Line, Col: at.Col, Err: fmt.Errorf(format, args...)}
	}
	return p.err
}

func (p *parser) integer(key string, s *scenarios.Scalar, least int, v *int) {
	if s == nil {
		return
	}
	n, err := strconv.Atoi(s.Text)
	if err != nil || n < least {
		p.fail(*s, "%s: want an integer of at least %d, got %q", key, least, s.Text)
		return
	}
	*v = n
}

func (p *parser) seed(s *scenarios.Scalar, v *uint64) {
	if s == nil {
		return
	}
	n, err := strconv.ParseUint(s.Text, 10, 64)
	if err != nil {
		p.fail(*s, "seed: want an integer from 0 on, got %q", s.Text)
	}
	*v = n
}

func (p *parser) duration(key string, s *scenarios.Scalar, v *time.Duration) {
	if s == nil {
		return
	}
	d, err := time.ParseDuration(s.Text)
	if err != nil || d <= 0 {
		p.fail(*s, "%s: want a duration such as 10s, got %q", key, s.Text)
		return
	}
	*v = d
}

func (p *parser) choice(key string, s *scenarios.Scalar, values []string, v *string) {
	if s == nil {
		return
	}
	for _, c := range values {
		if s.Text == c {
			*v = c
			return
		}
	}
	p.fail(*s, "%s: want %s, got %q", key, strings.Join(values, " or "), s.Text)
}

func (p *parser) axis(s *scenarios.Scenario, a axis) Axis {
	out := Axis{Name: a.name.Text}
	check, ok := checkOf(s, out.Name)
	if !ok {
		err := p.fail(a.name, "axis %q: neither a parameter of %s nor one of the lab's", out.Name, s.Name)
		known := append(s.ParamNames(), labAxes...)
		if place, ok := err.(*scenarios.PlaceError); ok && place.Advice == "" {
			if near := scenarios.Nearest(out.Name, known); near != "" {
				place.Advice = fmt.Sprintf("did you mean %q?", near)
			} else {
				place.Advice = "there are: " + strings.Join(known, ", ") + ", env.NAME"
			}
		}
		return out
	}
	seen := map[string]bool{}
	for _, v := range a.values {
		if err := check(v.Text); err != nil {
			p.fail(v, "axis %q: %w", out.Name, err)
		}
		if seen[v.Text] {
			p.fail(v, "axis %q: %q is there twice", out.Name, v.Text)
		}
		seen[v.Text] = true
		out.Values = append(out.Values, v.Text)
	}
	return out
}

var envName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// checkOf returns the check for values of an axis.
func checkOf(s *scenarios.Scenario, name string) (func(string) error, bool) {
	if p, ok := s.Params[name]; ok {
		return p.Check, true
	}
	switch env, isEnv := strings.CutPrefix(name, EnvPrefix); {
	case name == AxisGo:
		return toolchain.CheckVersion, true
	case name == AxisVCPUs:
		return between(1, 8), true
	case name == AxisShift:
		return checkShift, true
	case name == AxisEngine:
		return func(v string) error {
			if v != Parallel && v != Deterministic {
				return fmt.Errorf("want %s or %s, got %q", Parallel, Deterministic, v)
			}
			return nil
		}, true
	case isEnv && envName.MatchString(env):
		return func(string) error { return nil }, true
	}
	return nil, false
}

func between(least, most int) func(string) error {
	return func(v string) error {
		if n, err := strconv.Atoi(v); err != nil || n < least || n > most {
			return fmt.Errorf("want %d to %d, got %q", least, most, v)
		}
		return nil
	}
}

// Cell is one combination of axis values.
type Cell struct {
	// Index is its place in the plan, from 0.
	Index int `json:"index"`
	// Axes are the values by axis name.
	Axes map[string]string `json:"axes"`
}

// Label names the cell by the values of the given axes.
func (c Cell) Label(axes []Axis) string {
	var parts []string
	for _, a := range axes {
		parts = append(parts, a.Name+"="+c.Axes[a.Name])
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

// Cells returns the product of all axes; the last axis varies fastest.
func (m *Matrix) Cells() []Cell {
	cells := []Cell{{Axes: map[string]string{}}}
	for _, a := range m.Axes {
		var next []Cell
		for _, c := range cells {
			for _, v := range a.Values {
				values := map[string]string{a.Name: v}
				for k, w := range c.Axes {
					values[k] = w
				}
				next = append(next, Cell{Axes: values})
			}
		}
		cells = next
	}
	for i := range cells {
		cells[i].Index = i
	}
	return cells
}

// Size is the number of trials.
func (m *Matrix) Size() int {
	n := m.Trials
	for _, a := range m.Axes {
		n *= len(a.Values)
		if n > 1<<40 {
			return 1 << 40
		}
	}
	return n
}

// Order returns the cell of each trial, in the order of their numbers. All
// cells are mixed, so that a host that gets slower does not look like an effect.
func (m *Matrix) Order() []int {
	order := make([]int, m.Size())
	cells := len(order) / m.Trials
	for i := range order {
		order[i] = i % cells
	}
	rng := rand.New(rand.NewPCG(m.Seed, 0))
	rng.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
	return order
}

// SizeError says that a matrix is larger than anyone types by intent.
type SizeError struct{ Trials int }

func (e *SizeError) Error() string {
	return fmt.Sprintf("the matrix has %d trials, more than %d", e.Trials, Most)
}

// Hint says what to do about it.
func (e *SizeError) Hint() string {
	return "say --yes if that is what you want, or lower it with --trials"
}
