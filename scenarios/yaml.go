package scenarios

import (
	"errors"
	"fmt"
	"sort"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
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
	File      string
	Line, Col int // from 1; 0 when unknown
	Err       error
	Advice    string
}

func (e *PlaceError) Error() string {
	if e.Line == 0 {
		return fmt.Sprintf("%v (%s)", e.Err, e.File)
	}
	return fmt.Sprintf("%v (%s:%d:%d)", e.Err, e.File, e.Line, e.Col)
}

func (e *PlaceError) Unwrap() error { return e.Err }

// Hint says what to do about it.
func (e *PlaceError) Hint() string { return e.Advice }

// DecodeYAML decodes a user's file strictly: unknown and repeated keys and wrong
// types are *PlaceErrors with line and column.
func DecodeYAML(file string, text []byte, v any) (err error) {
	defer func() {
		// The library panics over some input, such as a tag where a list should be.
		if p := recover(); p != nil {
			err = &PlaceError{File: file, Err: fmt.Errorf("this YAML cannot be read: %v", p)}
		}
	}()
	err = yaml.UnmarshalWithOptions(text, v, yaml.Strict())
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

// Nearest returns the name that a mistyped one most likely means, or "".
func Nearest(name string, known []string) string {
	sort.Strings(known)
	best, least := "", len(name)/3+2
	for _, k := range known {
		if d := distance(name, k); d < least {
			best, least = k, d
		}
	}
	return best
}

// distance is Levenshtein's.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		diagonal := row[0]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			change := diagonal
			if a[i-1] != b[j-1] {
				change++
			}
			diagonal = row[j]
			row[j] = min(change, row[j]+1, row[j-1]+1)
		}
	}
	return row[len(b)]
}
