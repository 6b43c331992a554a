package matrix

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"ghostlab/lab/suggest"
	"ghostlab/scenarios"
)

// kind is what a scalar may be.
type kind interface {
	Check(text string) error
	Schema() map[string]any
}

// form is what a part of a matrix file may be: a scalar, a list, a map, or one
// of several of these. Parser and JSON Schema are both made from it, so that
// what an editor accepts is what lab accepts.
type form struct {
	kind kind
	// items are a list's, at least so many, and distinct if so. A scalar stands
	// for a list of itself.
	items    *form
	least    int
	distinct bool
	// fields are a map's keys, which has at least one of needs. The name of a
	// field makes the label of its value in messages; nil means "name: ".
	fields  []field
	needs   []string
	label   func(name string) string
	unknown string // the message for other names, with a %q
	// def, when set, names the form in a schema, which says it once.
	def string
}

// field is a key of a map.
type field struct {
	name  string
	about string
	form  *form
	// names, when set, is the pattern of all names that the field is for.
	names *regexp.Regexp
}

// field returns the field for a name.
func (f *form) field(name string) (field, bool) {
	for _, x := range f.fields {
		if x.name == name || x.names != nil && x.names.MatchString(name) {
			return x, true
		}
	}
	return field{}, false
}

func (f *form) names() []string {
	var names []string
	for _, x := range f.fields {
		names = append(names, x.name)
	}
	return names
}

// shapes says what the form may be, for a message.
func (f *form) shapes() string {
	var all []string
	if f.kind != nil {
		all = append(all, "one value")
	}
	if f.items != nil {
		all = append(all, "a list")
	}
	if f.fields != nil {
		all = append(all, "a map")
	}
	return strings.Join(all, " or ")
}

// source is a text that a part of a matrix comes from: its file or a flag.
type source struct {
	name string
	flag bool
}

// value is a part of a matrix file that has the form it should.
type value struct {
	from      *source
	line, col int
	text      string // of a scalar
	list      []value
	fields    []entry
	isMap     bool
}

// entry is a key of a map with its value, in the file's order.
type entry struct{ key, value value }

// get returns the value of a key, nil where it is not given.
func (v value) get(key string) *value {
	for i, e := range v.fields {
		if e.key.text == key {
			return &v.fields[i].value
		}
	}
	return nil
}

func (v value) texts() []string {
	var all []string
	for _, x := range v.list {
		all = append(all, x.text)
	}
	return all
}

// fail is an error at the value's place.
func (v value) fail(format string, args ...any) *scenarios.PlaceError {
	return &scenarios.PlaceError{File: v.from.name, Line: v.line, Col: v.col, Err: fmt.Errorf(format, args...)}
}

// advised adds what to do about an error.
func advised(err *scenarios.PlaceError, advice string) *scenarios.PlaceError {
	err.Advice = advice
	return err
}

// read reads a part of a document in the form it must have. label begins all
// messages about it.
func (f *form) read(from *source, label string, node ast.Node) (value, error) {
	v := place(from, node)
	switch node := node.(type) {
	case ast.MapNode:
		if f.fields == nil {
			return v, v.fail("%swant %s, got a map", label, f.shapes())
		}
		return f.readMap(v, label, node)
	case *ast.SequenceNode:
		if f.items == nil {
			return v, v.fail("%swant %s, got a list", label, f.shapes())
		}
		for _, n := range node.Values {
			item, err := f.items.read(from, label, n)
			if err != nil {
				return v, err
			}
			v.list = append(v.list, item)
		}
		return v, f.checkList(v, label)
	}
	text, err := scalar(v, label, node)
	if err != nil {
		return v, err
	}
	return f.readText(v, label, text)
}

// place is a value without its content.
func place(from *source, node ast.Node) value {
	if m, ok := node.(ast.MapNode); ok {
		// A map's own token is its first colon; it begins where its first key does.
		if it := m.MapRange(); it.Next() {
			node = it.Key()
		}
	}
	v := value{from: from}
	if !from.flag {
		p := node.GetToken().Position
		v.line, v.col = p.Line, p.Column
	}
	return v
}

// scalar is the text of a scalar as it is written: 1.20 stays 1.20.
func scalar(v value, label string, node ast.Node) (string, error) {
	switch node.(type) {
	case *ast.AliasNode, *ast.AnchorNode, *ast.MergeKeyNode, *ast.TagNode:
		return "", v.fail("%sanchors, aliases and tags have no meaning here: write the value out", label)
	case *ast.NullNode:
		return "", v.fail("%swant a value, got none", label)
	}
	var s scenarios.Scalar
	if err := s.UnmarshalYAML(node); err != nil {
		return "", v.fail("%s%w", label, err)
	}
	return s.Text, nil
}

// readText reads a scalar, also from a flag.
func (f *form) readText(v value, label, text string) (value, error) {
	switch {
	case f.kind != nil:
		v.text = text
		if err := f.kind.Check(text); err != nil {
			return v, v.fail("%s%w", label, err)
		}
		return v, nil
	case f.items != nil && f.items.kind != nil:
		item, err := f.items.readText(v, label, text)
		v.list = []value{item}
		return v, err
	}
	return v, v.fail("%swant %s, got %q", label, f.shapes(), text)
}

// readTexts reads a list of scalars.
func (f *form) readTexts(v value, label string, texts []string) (value, error) {
	for _, text := range texts {
		item, err := f.items.readText(v, label, text)
		if err != nil {
			return v, err
		}
		v.list = append(v.list, item)
	}
	return v, f.checkList(v, label)
}

func (f *form) checkList(v value, label string) error {
	if len(v.list) < f.least {
		return v.fail("%swant at least %s, got an empty list", label, plural(f.least, "value"))
	}
	seen := map[string]bool{}
	for _, item := range v.list {
		if f.distinct && seen[item.text] {
			return item.fail("%s%q is there twice", label, item.text)
		}
		seen[item.text] = true
	}
	return nil
}

func (f *form) readMap(v value, label string, node ast.MapNode) (value, error) {
	v.isMap = true
	for it := node.MapRange(); it.Next(); {
		key := place(v.from, it.Key())
		name, err := scalar(key, label, it.Key())
		if err != nil {
			return v, err
		}
		key.text = name
		x, ok := f.field(name)
		if !ok {
			return v, f.unknownKey(key, label)
		}
		if v.get(name) != nil {
			return v, key.fail("%s%q is there twice", label, name)
		}
		val, err := x.form.read(v.from, f.labelOf(label, name), it.Value())
		if err != nil {
			return v, err
		}
		v.fields = append(v.fields, entry{key, val})
	}
	if !slices.ContainsFunc(v.fields, func(e entry) bool { return slices.Contains(f.needs, e.key.text) }) && f.needs != nil {
		return v, v.fail("%swant %s", label, strings.Join(f.needs, " or "))
	}
	if len(v.fields) < f.least {
		return v, v.fail("%swant at least %s, got an empty map", label, plural(f.least, "key"))
	}
	return v, nil
}

func (f *form) labelOf(label, name string) string {
	if f.label != nil {
		return f.label(name)
	}
	return label + name + ": "
}

func (f *form) unknownKey(key value, label string) error {
	message := f.unknown
	if message == "" {
		message = "unknown key %q"
	}
	return advised(key.fail("%s"+message, label, key.text), suggest.Advice(key.text, f.names()))
}

func plural(n int, what string) string {
	if n == 1 {
		return "one " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
