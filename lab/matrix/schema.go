package matrix

import (
	"encoding/json"

	"ghostlab/scenarios"
)

// Schema returns a JSON Schema (draft 2020-12) of matrix files, for editors. It
// knows the parameters of the scenarios given, and takes any name as an axis of
// others.
func Schema(known ...*scenarios.Scenario) ([]byte, error) {
	s := matrixForm(nil).schema()
	s["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	s["title"] = "matrix of a reproduction lab"
	var cases []any
	for _, sc := range known {
		own := map[string]any{}
		for key, v := range matrixForm(sc).schema()["properties"].(map[string]any) {
			switch key {
			case KeyAxes, KeyExclude, KeyInclude, KeyExpect: // those that name parameters
				own[key] = v
			}
		}
		cases = append(cases, map[string]any{
			"if":   map[string]any{"properties": map[string]any{KeyScenario: map[string]any{"const": sc.Name}}, "required": []any{KeyScenario}},
			"then": map[string]any{"properties": own},
		})
	}
	if cases != nil {
		s["allOf"] = cases
	}
	text, err := json.MarshalIndent(s, "", "  ")
	return append(text, '\n'), err
}

// schema is the form as a JSON Schema.
func (f *form) schema() map[string]any {
	var shapes []any
	add := func(s map[string]any) { shapes = append(shapes, s) }
	if f.kind != nil {
		add(f.kind.Schema())
	}
	if f.items != nil {
		item := f.items.schema()
		if f.items.kind != nil {
			add(item) // a scalar stands for a list of itself
		}
		list := map[string]any{"type": "array", "items": item}
		if f.least > 0 {
			list["minItems"] = f.least
		}
		if f.distinct {
			list["uniqueItems"] = true
		}
		add(list)
	}
	if f.fields != nil {
		add(f.mapSchema())
	}
	if len(shapes) == 1 {
		return shapes[0].(map[string]any)
	}
	return map[string]any{"anyOf": shapes}
}

func (f *form) mapSchema() map[string]any {
	named, patterns := map[string]any{}, map[string]any{}
	for _, x := range f.fields {
		s := x.form.schema()
		s["description"] = x.about
		if x.names != nil {
			patterns[x.names.String()] = s
		} else {
			named[x.name] = s
		}
	}
	m := map[string]any{"type": "object", "properties": named, "additionalProperties": false}
	if len(patterns) > 0 {
		m["patternProperties"] = patterns
	}
	if f.least > 0 {
		m["minProperties"] = f.least
	}
	switch {
	case len(f.needs) == 1:
		m["required"] = f.needs
	case f.needs != nil:
		var one []any
		for _, key := range f.needs {
			one = append(one, map[string]any{"required": []any{key}})
		}
		m["anyOf"] = one
	}
	return m
}
