package matrix

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"ghostlab/lab/crash"
	"ghostlab/scenarios"
)

// Options say what a matrix file does not.
type Options struct {
	// Find loads the scenario that the matrix names. It is required.
	Find func(scenario string) (*scenarios.Scenario, error)
	// Presets are the values of the lab's own axes in cells that do not name
	// them, where the settings give them: go, kernel, vcpus, cpu, memory.
	Presets map[string]string
	// Set are keys and axes that take the place of the file's, Only are patterns
	// of the cells to run. Both come from flags.
	Set, Only []Flag
}

// Flag is an argument of the command line, with the words that messages call it
// by, such as "flag --set trials=20".
type Flag struct {
	Name  string `json:"name"`
	Value string `json:"value"`
	Words string `json:"-"`
}

func (f Flag) String() string { return f.Name + "=" + f.Value }

// Parse reads a matrix. Errors are *scenarios.PlaceErrors where they have a
// place in the file or are a flag's. The file has to be right by itself,
// whatever the flags say.
func Parse(name string, text []byte, opt Options) (*Matrix, error) {
	from := &source{name: name}
	node, err := scenarios.ParseYAML(name, text)
	if err != nil {
		return nil, err
	}
	if node == nil {
		return nil, value{from: from}.fail("scenario: want a name, the file is empty")
	}
	top, err := matrixForm(nil).read(from, "", node)
	if err != nil {
		return nil, err
	}
	named := top.get(KeyScenario)
	s, err := opt.Find(named.text)
	var elsewhere *scenarios.PlaceError // in the scenario's own file
	if errors.As(err, &elsewhere) {
		return nil, err
	}
	if err != nil {
		return nil, named.fail("%w", err)
	}
	if err := ambiguous(s); err != nil {
		return nil, err
	}
	if top, err = matrixForm(s).read(from, "", node); err != nil {
		return nil, err
	}
	if _, err := build(s, top, opt.Presets, false); err != nil {
		return nil, err
	}
	return flagged(s, top, opt)
}

// Of is the matrix of a scenario that has no file, as the flags say.
func Of(s *scenarios.Scenario, opt Options) (*Matrix, error) {
	return flagged(s, value{from: &source{flag: true}, isMap: true}, opt)
}

// flagged makes a matrix of what was read and what the flags say.
func flagged(s *scenarios.Scenario, top value, opt Options) (*Matrix, error) {
	f := matrixForm(s)
	if err := f.override(&top, opt.Set); err != nil {
		return nil, err
	}
	m, err := build(s, top, opt.Presets, len(opt.Set) > 0)
	if err != nil {
		return nil, err
	}
	m.Set, m.Narrowed = opt.Set, opt.Only
	if err := m.narrow(f, opt.Only); err != nil {
		return nil, err
	}
	if cells := len(m.Cells()); m.Trials > Limit/cells {
		return nil, top.get(KeyTrials).fail("trials: want at most %d in all %s together, got %d in each", Limit, plural(cells, "cell"), m.Trials)
	}
	return m, nil
}

// build makes a matrix of what was read. When flags have changed it, patterns
// of the file may match nothing, and an included cell may be there already.
func build(s *scenarios.Scenario, top value, presets map[string]string, changed bool) (*Matrix, error) {
	m := New(s)
	m.presets = presets
	top.integer(KeyTrials, &m.Trials)
	top.integer(KeyShift, &m.Shift)
	top.duration(KeyTimeout, &m.Timeout)
	top.string(KeyEngine, &m.Engine)
	top.string(KeyIsolation, &m.Isolation)
	top.string(KeySearch, &m.Search)
	seed := int(m.Seed)
	top.integer(KeySeed, &seed)
	m.Seed = uint64(seed)
	if m.Search == Hunt {
		if err := checkHunt(top, m); err != nil {
			return nil, err
		}
		m.Hunted()
	}
	if stop := top.get(KeyStop); stop != nil {
		if w := stop.get(keyWidth); w != nil {
			m.Stop.Width, _ = parseRate(w.text)
		}
		if first := stop.get(keyFirst); first != nil {
			for _, o := range first.texts() {
				m.Stop.First = append(m.Stop.First, crash.Outcome(o))
			}
		}
	}
	if v := top.get(KeyCollect); v != nil {
		m.Collect = collect(*v)
	}
	if axes := top.get(KeyAxes); axes != nil {
		for _, e := range axes.fields {
			m.Axes = append(m.Axes, Axis{e.key.text, e.value.texts()})
			if err := sameMemory(e); err != nil {
				return nil, err
			}
		}
		if combinations(m.Axes) > mostCells {
			return nil, axes.fail("axes: they have more than %d combinations", mostCells)
		}
	}
	return m, m.patterns(top, changed)
}

// patterns reads the parts of a matrix that speak of its cells.
func (m *Matrix) patterns(top value, changed bool) error {
	strict := func(v value) bool { return !changed || v.from.flag }
	if list := top.get(KeyExclude); list != nil {
		spanned := m.spanned()
		for _, v := range list.list {
			if err := v.matches("exclude", m.Axes, spanned); err != nil && strict(v) {
				return err
			}
			m.Exclude = append(m.Exclude, patternOf(v))
		}
	}
	if list := top.get(KeyInclude); list != nil {
		if err := m.include(list.list, strict); err != nil {
			return err
		}
	}
	cells := m.all()
	if len(cells) == 0 {
		return top.get(KeyExclude).fail("exclude: no cell is left")
	}
	if list := top.get(KeyExpect); list != nil {
		axes := axesOf(m.names(), cells)
		for _, v := range list.list {
			var where Pattern
			if w := v.get(keyWhere); w != nil {
				if err := w.matches("expect: where", axes, cells); err != nil && strict(*w) {
					return err
				}
				where = patternOf(*w)
			}
			if !slices.ContainsFunc(cells, where.Matches) {
				continue // a flag has taken its cells away
			}
			m.Expect = append(m.Expect, expectations(v, where)...)
		}
	}
	return nil
}

// expectations are an entry's claims, one for each outcome.
func expectations(v value, where Pattern) []Expectation {
	var all []Expectation
	for _, x := range v.fields {
		if !slices.Contains(results, x.key.text) {
			continue
		}
		e := Expectation{Where: where, Outcome: crash.Outcome(x.key.text)}
		v.string(keySignature, &e.Signature)
		e.Claim, _ = ParseClaim(x.value.text)
		all = append(all, e)
	}
	return all
}

// include adds cells. One that is there already is a mistake, unless a flag has
// brought it there.
func (m *Matrix) include(list []value, strict func(value) bool) error {
	for _, v := range list {
		cell := map[string]string{}
		for _, e := range v.fields {
			cell[e.key.text] = e.value.text
		}
		m.Include = append(m.Include, cell)
	}
	cells := m.all()
	axes := axesOf(m.names(), cells)
	first := len(cells) - len(list)
	seen := map[string]bool{}
	var fresh []map[string]string
	for i, c := range cells {
		label := c.Label(axes)
		if i >= first {
			v := list[i-first]
			if seen[label] && strict(v) {
				return v.fail("include: the cell %s is there already", label)
			}
			for _, a := range axes {
				if _, has := c.Axes[a.Name]; !has && !strings.HasPrefix(a.Name, EnvPrefix) {
					return v.fail("include: want %s, which has no default here", a.Name)
				}
			}
			if !seen[label] {
				fresh = append(fresh, m.Include[i-first])
			}
		}
		seen[label] = true
	}
	m.Include = fresh
	return nil
}

// The values of keys have been checked when they were read.

func (v value) integer(key string, to *int) {
	if x := v.get(key); x != nil {
		*to, _ = strconv.Atoi(x.text)
	}
}

func (v value) duration(key string, to *time.Duration) {
	if x := v.get(key); x != nil {
		*to, _ = time.ParseDuration(x.text)
	}
}

func (v value) string(key string, to *string) {
	if x := v.get(key); x != nil {
		*to = x.text
	}
}

// collect reads a list of names, or a map of it and the number of passes.
func collect(v value) Collect {
	c := DefaultCollect()
	names := &v
	if v.isMap {
		names = v.get(keyEvidence)
		v.integer(keyPasses, &c.Passes)
		v.integer(keyFailures, &c.Failures)
	}
	if names != nil {
		c.Evidence = names.texts()
	}
	return c
}

// sameMemory refuses two spellings of one size.
func sameMemory(axis entry) error {
	if axis.key.text != AxisMemory {
		return nil
	}
	seen := map[int]string{}
	for _, v := range axis.value.list {
		mib, _ := ParseMemory(v.text)
		if other, ok := seen[mib]; ok {
			return v.fail("axis %q: %s is %s again", AxisMemory, v.text, other)
		}
		seen[mib] = v.text
	}
	return nil
}
