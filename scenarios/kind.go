package scenarios

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"ghostlab/lab/suggest"
)

// Kind says what a value may be.
type Kind struct {
	// Type is int, bool, duration, string or choice.
	Type string `yaml:"type"`
	// Min and Max bound an int.
	Min *int `yaml:"min"`
	Max *int `yaml:"max"`
	// Values are those of a choice.
	Values []Scalar `yaml:"values"`
}

// types are those a Kind may have, with their JSON Schema.
var types = map[string]map[string]any{
	"int":      {"type": "integer"},
	"bool":     {"type": "boolean"},
	"duration": {"type": []any{"string", "integer"}, "pattern": durationPattern, "maximum": 0, "minimum": 0},
	"string":   {"type": []any{"string", "number", "boolean"}, "pattern": `^[^\x00]*$`},
	"choice":   {},
}

// durationPattern is what time.ParseDuration takes that is not negative.
const durationPattern = `^\+?(0|(([0-9]+(\.[0-9]*)?|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h))+)$`

// Choice is the kind of these values.
func Choice(values ...string) Kind {
	k := Kind{Type: "choice"}
	for _, v := range values {
		k.Values = append(k.Values, Scalar{Text: v})
	}
	return k
}

// Int is the kind of the integers from least to most.
func Int(least, most int) Kind { return Kind{Type: "int", Min: &least, Max: &most} }

// Check says whether a value is of the kind.
func (k Kind) Check(value string) error {
	switch k.Type {
	case "int":
		n, err := strconv.Atoi(value)
		switch {
		case err != nil:
			return fmt.Errorf("want an integer, got %q", value)
		case k.Min != nil && k.Max != nil && (n < *k.Min || n > *k.Max):
			return fmt.Errorf("want %d to %d, got %d", *k.Min, *k.Max, n)
		case k.Min != nil && n < *k.Min:
			return fmt.Errorf("want at least %d, got %d", *k.Min, n)
		case k.Max != nil && n > *k.Max:
			return fmt.Errorf("want at most %d, got %d", *k.Max, n)
		}
	case "bool":
		if value != "true" && value != "false" {
			return fmt.Errorf("want true or false, got %q", value)
		}
	case "duration":
		if d, err := time.ParseDuration(value); err != nil || d < 0 {
			return fmt.Errorf("want a duration such as 5ms, got %q", value)
		}
	case "string":
		if strings.ContainsRune(value, 0) { // no argument and no environment can have it
			return fmt.Errorf("want text without NUL characters, got %q", value)
		}
	case "choice":
		if all := k.texts(); !slices.Contains(all, value) {
			return &ChoiceError{Value: value, Known: all}
		}
	}
	return nil
}

func (k Kind) texts() []string {
	var all []string
	for _, v := range k.Values {
		all = append(all, v.Text)
	}
	return all
}

// Schema is the kind as a JSON Schema. A value is in YAML what it looks like, so
// that a choice of 1.20 is a number.
func (k Kind) Schema() map[string]any {
	s := map[string]any{}
	for key, v := range types[k.Type] {
		s[key] = v
	}
	if k.Type == "choice" {
		var all []any
		for _, text := range k.texts() {
			all = append(all, text)
			if typed, ok := plainValue(text).(string); !ok || typed != text {
				all = append(all, plainValue(text))
			}
		}
		s["enum"] = all
	}
	if k.Min != nil {
		s["minimum"] = *k.Min
	}
	if k.Max != nil {
		s["maximum"] = *k.Max
	}
	return s
}

// valid says what is wrong with the kind itself.
func (k Kind) valid() error {
	switch {
	case types[k.Type] == nil:
		return fmt.Errorf("want type int, bool, duration, string or choice, got %q", k.Type)
	case k.Type == "choice" && len(k.Values) == 0:
		return fmt.Errorf("want values to choose from")
	case k.Type != "int" && (k.Min != nil || k.Max != nil):
		return fmt.Errorf("min and max are for integers")
	}
	return nil
}

// ChoiceError is a value that is none of those there are.
type ChoiceError struct {
	Value string
	Known []string
}

func (e *ChoiceError) Error() string {
	return fmt.Sprintf("want %s, got %q", oneOf(e.Known), e.Value)
}

// Hint says which of them may be meant.
func (e *ChoiceError) Hint() string { return suggest.DidYouMean(e.Value, e.Known) }

func oneOf(values []string) string {
	if len(values) <= 2 {
		return strings.Join(values, " or ")
	}
	return "one of " + strings.Join(values, ", ")
}
