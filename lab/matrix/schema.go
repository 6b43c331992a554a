package matrix

import (
	"encoding/json"
	"strings"

	"ghostlab/scenarios"
)

// Schema returns a JSON Schema (draft 2020-12) of matrix files, for editors. It
// knows the parameters of the scenarios given, and takes any name as an axis of
// others.
func Schema(known ...*scenarios.Scenario) ([]byte, error) {
	w := schemaWriter{}
	s := w.schema(matrixForm(nil))
	s["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	s["title"] = "matrix of a reproduction lab"
	var cases []any
	for _, sc := range known {
		own := map[string]any{}
		for _, x := range matrixForm(sc).fields {
			switch x.name {
			case KeyAxes, KeyExclude, KeyInclude, KeyExpect: // those that name parameters
				own[x.name] = w.schema(x.form)
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
	s["$defs"] = w
	text, err := json.MarshalIndent(s, "", " ")
	return append(text, '\n'), err
}

// schemaWriter turns forms into a JSON Schema. It is its $defs.
type schemaWriter map[string]any

// schema is a form, or a reference to it.
func (w schemaWriter) schema(f *form) map[string]any {
	if f.def == "" {
		return w.whole(f)
	}
	if _, ok := w[f.def]; !ok {
		w[f.def] = w.whole(f)
	}
	return map[string]any{"$ref": "#/$defs/" + strings.ReplaceAll(f.def, " ", "%20")}
}

func (w schemaWriter) whole(f *form) map[string]any {
	var shapes []any
	add := func(s map[string]any) { shapes = append(shapes, s) }
	if f.kind != nil {
		add(f.kind.Schema())
	}
	if f.items != nil {
		item := w.schema(f.items)
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
		add(w.object(f))
	}
	if len(shapes) == 1 {
		return shapes[0].(map[string]any)
	}
	return map[string]any{"anyOf": shapes}
}

func (w schemaWriter) object(f *form) map[string]any {
	named, patterns := map[string]any{}, map[string]any{}
	for _, x := range f.fields {
		s := w.schema(x.form)
		if x.form.def != "" {
			w[x.form.def].(map[string]any)["description"] = x.about
		} else {
			s["description"] = x.about
		}
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
