package matrix

import (
	"errors"
	"fmt"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"ghostlab/scenarios"
)

// file is matrix.yaml as it is written.
type file struct {
	Scenario  scenarios.Scalar  `yaml:"scenario"`
	Trials    *scenarios.Scalar `yaml:"trials"`
	Timeout   *scenarios.Scalar `yaml:"timeout"`
	Seed      *scenarios.Scalar `yaml:"seed"`
	Engine    *scenarios.Scalar `yaml:"engine"`
	Shift     *scenarios.Scalar `yaml:"shift"`
	Isolation *scenarios.Scalar `yaml:"isolation"`
	Search    *scenarios.Scalar `yaml:"search"`
	Axes      axes              `yaml:"axes"`
}

// axes keeps the order and the places of the file.
type axes []axis

type axis struct {
	name   scenarios.Scalar
	values []scenarios.Scalar
}

// UnmarshalYAML reads "name: [value, …]" or "name: value".
func (a *axes) UnmarshalYAML(node ast.Node) error {
	m, ok := node.(ast.MapNode)
	if !ok {
		return at(node, "axes: want a map from names to lists of values")
	}
	seen := map[string]bool{}
	for it := m.MapRange(); it.Next(); {
		var x axis
		if err := x.name.UnmarshalYAML(it.Key()); err != nil {
			return err
		}
		if seen[x.name.Text] {
			return at(it.Key(), "axis %q: it is there twice", x.name.Text)
		}
		seen[x.name.Text] = true
		values := []ast.Node{it.Value()}
		if seq, ok := it.Value().(*ast.SequenceNode); ok {
			values = seq.Values
			if len(values) == 0 {
				return at(seq, "axis %q: want at least one value, got an empty list", x.name.Text)
			}
		}
		for _, v := range values {
			var s scenarios.Scalar
			if err := s.UnmarshalYAML(v); err != nil {
				var place *scenarios.PlaceError
				if errors.As(err, &place) {
					place.Err = fmt.Errorf("axis %q: %w", x.name.Text, place.Err)
				}
				return err
			}
			x.values = append(x.values, s)
		}
		*a = append(*a, x)
	}
	return nil
}

func at(node ast.Node, format string, args ...any) error {
	p := node.GetToken().Position
	return &scenarios.PlaceError{Line: p.Line, Col: p.Column, Err: fmt.Errorf(format, args...)}
}

// keys are the names a matrix may use at its top, for advice.
var keys = []string{"scenario", "trials", "timeout", "seed", "engine", "isolation", "axes"}

func decode(name string, text []byte) (*file, error) {
	f := &file{}
	err := scenarios.DecodeYAML(name, text, f)
	var place *scenarios.PlaceError
	if errors.As(err, &place) {
		if rest, ok := strings.CutPrefix(place.Err.Error(), "unknown key "); ok {
			if near := scenarios.Nearest(strings.Trim(rest, `"`), keys); near != "" {
				place.Advice = fmt.Sprintf("did you mean %q?", near)
			} else {
				place.Advice = "the keys are " + strings.Join(keys, ", ")
			}
		}
	}
	return f, err
}
