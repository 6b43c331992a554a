// Package scenarios loads scenarios: a Go program that reproduces something,
// and the parameters it takes. Each lives in a folder of its own beside this
// file; adding one touches nothing else.
package scenarios

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"sort"
	"strings"
	"time"

	"ghostlab/lab/suggest"
)

// Scenario is a loaded scenario.yaml.
type Scenario struct {
	Name string `yaml:"name"`
	// Summary is one line for people.
	Summary string `yaml:"summary"`
	// Repro is the folder of the Go main package, relative to the scenario's.
	Repro string `yaml:"repro"`
	// Timeout is the longest a trial may take, in the guest's time.
	Timeout time.Duration `yaml:"-"`
	// Params are what a matrix may vary, by name.
	Params map[string]Param `yaml:"params"`

	// Dir is the scenario's folder, absolute.
	Dir string `yaml:"-"`
	// Own is the program of a scenario without a file, see Of; else nil.
	Own *Program `yaml:"-"`
}

// Param is a parameter of the program.
type Param struct {
	Kind `yaml:",inline"`
	// Default is the value where the matrix gives none.
	Default Scalar `yaml:"default"`
	// Env or Flag says how the program takes it.
	Env  string `yaml:"env"`
	Flag string `yaml:"flag"`
	// About is one line for people.
	About string `yaml:"about"`
	// Optional parameters have no default: the program is not told of them
	// unless a value is given.
	Optional bool `yaml:"-"`
}

// defaultTimeout is for scenarios that name none.
const defaultTimeout = 30 * time.Second

// Find returns the scenario of that name in dir, or the one in the folder that
// name is the path of.
func Find(dir, name string) (*Scenario, error) {
	for _, folder := range []string{filepath.Join(dir, name), name} {
		if filepath.IsAbs(name) {
			folder = name
		}
		file := filepath.Join(folder, "scenario.yaml")
		text, err := os.ReadFile(file)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		return load(file, text)
	}
	return nil, &NotFoundError{Name: name, Dir: dir, Known: Names(dir)}
}

// In returns Find for the scenarios of a folder.
func In(dir string) func(name string) (*Scenario, error) {
	return func(name string) (*Scenario, error) { return Find(dir, name) }
}

// Names returns the scenarios in dir, sorted.
func Names(dir string) []string {
	files, _ := fs.Glob(os.DirFS(dir), "*/scenario.yaml") // whatever is in dir's own name
	names := make([]string, len(files))
	for i, f := range files {
		names[i] = path.Dir(f)
	}
	sort.Strings(names)
	return names
}

func load(file string, text []byte) (*Scenario, error) {
	var f struct {
		Scenario `yaml:",inline"`
		Timeout  *Scalar `yaml:"timeout"`
	}
	if err := DecodeYAML(file, text, &f); err != nil {
		return nil, err
	}
	s := &f.Scenario
	fail := func(at Scalar, format string, args ...any) error {
		return &PlaceError{File: file, Line: at.Line, Col: at.Col, Err: fmt.Errorf(format, args...)}
	}
	if s.Name == "" || s.Repro == "" {
		return nil, fail(Scalar{}, "want name and repro")
	}
	s.Timeout = defaultTimeout
	if f.Timeout != nil {
		d, err := time.ParseDuration(f.Timeout.Text)
		if err != nil || d <= 0 {
			return nil, fail(*f.Timeout, "timeout: want a duration such as 10s, got %q", f.Timeout.Text)
		}
		s.Timeout = d
	}
	for _, name := range s.ParamNames() {
		p := s.Params[name]
		if err := p.valid(); err != nil {
			return nil, fail(p.Default, "parameter %q: %w", name, err)
		}
		if (p.Env == "") == (p.Flag == "") {
			return nil, fail(p.Default, "parameter %q: want env or flag", name)
		}
		if err := p.Check(p.Default.Text); err != nil {
			return nil, fail(p.Default, "parameter %q: default: %w", name, err)
		}
	}
	abs, err := filepath.Abs(filepath.Dir(file))
	s.Dir = abs
	return s, err
}

// ReproDir is the folder of the program's main package.
func (s *Scenario) ReproDir() string { return filepath.Join(s.Dir, s.Repro) }

// ParamNames returns the names of the parameters, sorted.
func (s *Scenario) ParamNames() []string {
	names := make([]string, 0, len(s.Params))
	for n := range s.Params {
		names = append(names, n)
	}
	sort.Strings(names)
	return names
}

// Command returns the program's arguments and environment for the values given,
// and the defaults for the others.
func (s *Scenario) Command(values map[string]string) (args, env []string) {
	for _, name := range s.ParamNames() {
		p := s.Params[name]
		v, ok := values[name]
		if !ok && p.Optional {
			continue
		}
		if !ok {
			v = p.Default.Text
		}
		if p.Env != "" {
			env = append(env, p.Env+"="+v)
		} else {
			args = append(args, "-"+p.Flag+"="+v)
		}
	}
	return args, env
}

// Values reads "name=value" settings of parameters and checks them.
func (s *Scenario) Values(set []string) (map[string]string, error) {
	values := map[string]string{}
	for _, kv := range set {
		name, value, ok := strings.Cut(kv, "=")
		if !ok {
			return nil, fmt.Errorf("want name=value, got %q", kv)
		}
		p, ok := s.Params[name]
		if !ok {
			return nil, fmt.Errorf("%s has no parameter %q, it has %s", s.Name, name, strings.Join(s.ParamNames(), ", "))
		}
		if err := p.Check(value); err != nil {
			return nil, fmt.Errorf("parameter %q: %w", name, err)
		}
		values[name] = value
	}
	return values, nil
}

// NotFoundError names a scenario that does not exist.
type NotFoundError struct {
	Name, Dir string
	Known     []string
}

func (e *NotFoundError) Error() string {
	return fmt.Sprintf("no scenario %q in %s", e.Name, e.Dir)
}

// BadInput marks what the user can mend, see usage.IsBadInput.
func (*NotFoundError) BadInput() {}

// Hint says what to do about it.
func (e *NotFoundError) Hint() string {
	if len(e.Known) == 0 {
		return "run lab from the repository, or name the scenario's folder"
	}
	return suggest.Advice(e.Name, e.Known)
}
