package matrix

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"ghostlab/scenarios"
)

func compiled(t *testing.T, known ...*scenarios.Scenario) *jsonschema.Schema {
	t.Helper()
	text, err := Schema(known...)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	if err := c.AddResource("matrix.json", doc); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("matrix.json")
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// What an editor says by the schema is what the parser says.
func TestSchemaAgreesWithTheParser(t *testing.T) {
	s, err := options.Find("ghost-map")
	if err != nil {
		t.Fatal(err)
	}
	schema := compiled(t, s)
	validate := func(text string) error {
		var v any
		if err := yaml.Unmarshal([]byte(text), &v); err != nil {
			t.Fatalf("%s\n%v", text, err)
		}
		return schema.Validate(v)
	}
	for _, text := range good {
		if err := validate(text); err != nil {
			t.Errorf("%s\n%v", text, err)
		}
	}
	for _, c := range bad {
		if c.schema && validate(c.text) == nil {
			t.Errorf("the schema takes\n%s", c.text)
		}
	}
}

// The matrices that are shipped are right, by the schema too.
func TestShippedMatrices(t *testing.T) {
	s, err := options.Find("ghost-map")
	if err != nil {
		t.Fatal(err)
	}
	schema := compiled(t, s)
	files, err := filepath.Glob("../../scenarios/*/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	matrices := 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if filepath.Base(file) == "scenario.yaml" {
			continue
		}
		matrices++
		if _, err := Parse(file, text, options); err != nil {
			t.Error(err)
		}
		var v any
		if err := yaml.Unmarshal(text, &v); err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(v); err != nil {
			t.Errorf("%s: %v", file, err)
		}
	}
	if matrices < 3 {
		t.Errorf("%d matrices", matrices)
	}
}

// Without the scenario its parameters cannot be known, all else can.
func TestSchemaWithoutScenarios(t *testing.T) {
	schema := compiled(t)
	for text, ok := range map[string]bool{
		"scenario: mine\naxes: {anything: [1]}\n":        true,
		"scenario: mine\naxes: {anything: [1], go: x}\n": false,
		"scenario: mine\ntrials: x\n":                    false,
	} {
		var v any
		if err := yaml.Unmarshal([]byte(text), &v); err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(v); (err == nil) != ok {
			t.Errorf("%s\n%v", text, err)
		}
	}
}
