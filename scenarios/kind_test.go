package scenarios

import (
	"encoding/json"
	"errors"
	"testing"
)

func TestKindsHaveBounds(t *testing.T) {
	least, most := 2, 4
	for _, c := range []struct {
		kind        Kind
		value, want string
	}{
		{Int(2, 4), "4", ""},
		{Int(2, 4), "5", "want 2 to 4, got 5"},
		{Kind{Type: "int", Min: &least}, "1", "want at least 2, got 1"},
		{Kind{Type: "int", Max: &most}, "5", "want at most 4, got 5"},
		{Choice("a", "b"), "c", `want a or b, got "c"`},
		{Choice("a", "b", "c"), "d", `want one of a, b, c, got "d"`},
		{Kind{Type: "duration"}, "+1.5h3us", ""},
		{Kind{Type: "duration"}, "0", ""},
	} {
		got := ""
		if err := c.kind.Check(c.value); err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%+v, %q:\n got %s\nwant %s", c.kind, c.value, got, c.want)
		}
	}
	err := Choice("none", "2MiB").Check("2MB")
	var choice *ChoiceError
	if !errors.As(err, &choice) || choice.Hint() != `did you mean "2MiB"?` {
		t.Errorf("%v", err)
	}
}

// A choice's values are in YAML what they look like.
func TestSchemaOfAChoice(t *testing.T) {
	got, err := json.Marshal(Choice("none", "1.20", "4KiB", "true").Schema())
	if want := `{"enum":["none","1.20",1.2,"4KiB","true",true]}`; err != nil || string(got) != want {
		t.Errorf("got %s, want %s (%v)", got, want, err)
	}
}
