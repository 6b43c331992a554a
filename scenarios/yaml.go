package scenarios

import (
	"errors"
	"fmt"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// Scalar is a YAML scalar as it is written: 1.20 stays 1.20 and 2MiB needs no
// quotes. Its position serves error messages.
type Scalar struct {
	Text      string
	Line, Col int
}

// UnmarshalYAML takes any scalar and refuses lists and maps.
func (s *Scalar) UnmarshalYAML(node ast.Node) error {
	tok := node.GetToken()
	s.Line, s.Col = tok.Position.Line, tok.Position.Column
	switch n := node.(type) {
	case *ast.StringNode:
		s.Text = n.Value
	case *ast.LiteralNode:
		s.Text = n.Value.Value
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		s.Text = tok.Value
	case *ast.NullNode:
		return &PlaceError{Line: s.Line, Col: s.Col, Err: errors.New("want a value, got none")}
	default:
		return &PlaceError{Line: s.Line, Col: s.Col, Err: fmt.Errorf("want one value, got a %s", strings.ToLower(node.Type().YAMLName()))}
	}
	return nil
}

// PlaceError is an error in a file of the user's.
type PlaceError struct {
	File      string // empty for what was no file
	Line, Col int    // from 1; 0 when unknown
	Err       error
	Advice    string
}

func (e *PlaceError) Error() string {
	if e.File == "" {
		return e.Err.Error()
	}
	if e.Line == 0 {
		return fmt.Sprintf("%v (%s)", e.Err, e.File)
	}
	return fmt.Sprintf("%v (%s:%d:%d)", e.Err, e.File, e.Line, e.Col)
}

// BadInput marks what the user can mend, see usage.IsBadInput.
func (*PlaceError) BadInput() {}

func (e *PlaceError) Unwrap() error { return e.Err }

// Hint says what to do about it.
func (e *PlaceError) Hint() string {
	var inner interface{ Hint() string }
	if e.Advice == "" && errors.As(e.Err, &inner) {
		return inner.Hint()
	}
	return e.Advice
}

// DecodeYAML decodes a user's file strictly: unknown and repeated keys and wrong
// types are *PlaceErrors with line and column.
func DecodeYAML(file string, text []byte, v any) error {
	return placed(file, text, func() error { return yaml.UnmarshalWithOptions(text, v, yaml.Strict()) })
}

// ParseYAML returns the one document of a user's file, nil where it is empty.
// Errors are *PlaceErrors.
func ParseYAML(file string, text []byte) (node ast.Node, err error) {
	err = placed(file, text, func() error {
		f, err := parser.ParseBytes(text, 0)
		if err != nil {
			return err
		}
		for _, doc := range f.Docs {
			if node != nil && doc.Body != nil {
				at := doc.Start.Position
				return &PlaceError{Line: at.Line, Col: at.Column, Err: errors.New("want one document, got another that begins here")}
			}
			if doc.Body != nil {
				node = doc.Body
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return node, nil
}

// plainValue is a scalar as YAML reads it without quotes.
func plainValue(text string) any {
	var v any
	if err := placed("", []byte(text), func() error { return yaml.Unmarshal([]byte(text), &v) }); err != nil {
		return text
	}
	return v
}

// placed gives the library's errors the file's name and the reader's words.
func placed(file string, text []byte, read func() error) error {
	err := bounded(text, read)
	if err == nil {
		return nil
	}
	var place *PlaceError
	if errors.As(err, &place) {
		place.File = file
		return place
	}
	var y yaml.Error
	if errors.As(err, &y) {
		place := &PlaceError{File: file, Err: errors.New(plain(y.GetMessage()))}
		if tok := y.GetToken(); tok != nil {
			place.Line, place.Col = tok.Position.Line, tok.Position.Column
		}
		return place
	}
	return &PlaceError{File: file, Err: err}
}

// plain turns the library's words into the reader's.
func plain(msg string) string {
	if rest, ok := strings.CutPrefix(msg, "unknown field "); ok {
		return "unknown key " + rest
	}
	if i := strings.Index(msg, "cannot unmarshal "); i >= 0 {
		msg = msg[i+len("cannot unmarshal "):]
		got, want, _ := strings.Cut(msg, " into Go ")
		if _, typ, ok := strings.Cut(want, " of type "); ok {
			want = typ
		}
		return fmt.Sprintf("want %s, got %s", kindName(want), kindName(got))
	}
	if strings.HasPrefix(msg, "invalid header option") {
		return "text that begins with > or | needs quotes"
	}
	if got, want, ok := strings.Cut(strings.TrimSuffix(msg, " is expected"), " was used where "); ok {
		return fmt.Sprintf("want a %s, got a %s", want, got)
	}
	return msg
}

func kindName(goType string) string {
	switch goType {
	case "int", "int64", "uint64":
		return "an integer"
	case "float64":
		return "a number"
	case "bool":
		return "true or false"
	case "string":
		return "a string"
	}
	if strings.HasPrefix(goType, "[]") {
		return "a list"
	}
	return "a map of keys and values"
}
