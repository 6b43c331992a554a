package matrix

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"ghostlab/scenarios"
)

func find(name string) (*scenarios.Scenario, error) {
	return scenarios.Find("../../scenarios", name)
}

func TestParse(t *testing.T) {
	m, err := Parse("m.yaml", []byte("scenario: ghost-map\ntrials: 3\nseed: 7\ntimeout: 5s\naxes:\n  gomaxprocs: [1, 2]\n  mmap_align: [none, 2MiB]\n  go: 1.21.6\n  env.GODEBUG: [\"x=1\", \"\"]\n"), find)
	if err != nil {
		t.Fatal(err)
	}
	cells := m.Cells()
	if len(cells) != 8 || m.Size() != 24 || m.Timeout.Seconds() != 5 {
		t.Errorf("%d cells, %d trials, %v", len(cells), m.Size(), m.Timeout)
	}
	if got := cells[2].Label(m.Axes); got != "gomaxprocs=1 mmap_align=2MiB go=1.21.6 env.GODEBUG=x=1" {
		t.Errorf("cell 2 is %s", got)
	}
	if got := cells[2].Env(); !slices.Equal(got, []string{"GODEBUG=x=1"}) {
		t.Errorf("its environment is %q", got)
	}
}

func TestErrorsHaveAPlace(t *testing.T) {
	for _, c := range []struct{ text, want, hint string }{
		{"scenario: ghost-map\ntrails: 3\n", `unknown key "trails" (m.yaml:2:1)`, `did you mean "trials"?`},
		{"scenario: ghost-map\ntrials: two\n", `trials: want an integer of at least 1, got "two" (m.yaml:2:9)`, ""},
		{"scenario: ghost-map\ntrials: 0\n", `trials: want an integer of at least 1, got "0" (m.yaml:2:9)`, ""},
		{"scenario: ghost-map\ntrials: [1]\n", `want one value, got a sequence (m.yaml:2:9)`, ""},
		{"scenario: ghost-map\naxes:\n  gomaxprocs: [1, two]\n", `axis "gomaxprocs": want an integer, got "two" (m.yaml:3:19)`, ""},
		{"scenario: ghost-map\naxes:\n  gomaxprocs: []\n", `axis "gomaxprocs": want at least one value, got an empty list (m.yaml:3:15)`, ""},
		{"scenario: ghost-map\naxes:\n  gomaxproc: [1]\n", `axis "gomaxproc": neither a parameter of ghost-map nor one of the lab's (m.yaml:3:3)`, `did you mean "gomaxprocs"?`},
		{"scenario: ghost-map\naxes:\n  gomaxprocs: [1, 1]\n", `axis "gomaxprocs": "1" is there twice (m.yaml:3:19)`, ""},
		{"scenario: ghost-map\naxes:\n  mmap_align: [8KiB]\n", `axis "mmap_align": want one of none, 4KiB, 2MiB, huge, got "8KiB" (m.yaml:3:16)`, ""},
		{"scenario: ghost-map\naxes: [1]\n", `axes: want a map from names to lists of values (m.yaml:2:7)`, ""},
		{"scenario: ghost-map\naxes:\n  go: [latest]\n", `axis "go": want a Go release such as 1.21.6, got "latest" (m.yaml:3:8)`, ""},
		{"scenario: ghost-map\nengine: fast\n", `engine: want parallel or deterministic, got "fast" (m.yaml:2:9)`, ""},
		{"scenario: ghost-map\nshift: 12\n", `shift: want 0 to 9, got "12" (m.yaml:2:8)`, ""},
		{"scenario: ghost-map\naxes:\n  engine: [fast]\n", `axis "engine": want parallel or deterministic, got "fast" (m.yaml:3:12)`, ""},
		{"trials: 3\n", `scenario: want a name`, ""},
		{"scenario: ghost-mop\n", `no scenario "ghost-mop"`, `did you mean "ghost-map"?`},
		{"scenario: ghost-map\n  trials: 3\n", `(m.yaml:`, ""},
		{"scenario: ghost-map\nscenario: ghost-map\n", `(m.yaml:2:1)`, ""},
	} {
		_, err := Parse("m.yaml", []byte(c.text), find)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q:\n got %v\nwant %s", c.text, err, c.want)
			continue
		}
		var hint interface{ Hint() string }
		if c.hint != "" && (!errors.As(err, &hint) || hint.Hint() != c.hint) {
			t.Errorf("%q: no hint %q", c.text, c.hint)
		}
	}
}

func TestOrderMixesCellsAndRepeats(t *testing.T) {
	m := &Matrix{Trials: 50, Seed: 1, Axes: []Axis{{"a", []string{"1", "2"}}, {"b", []string{"x", "y", "z"}}}}
	order := m.Order()
	if !slices.Equal(order, m.Order()) {
		t.Error("the same seed gave two orders")
	}
	counts := map[int]int{}
	firstHalf := map[int]int{}
	for i, c := range order {
		counts[c]++
		if i < len(order)/2 {
			firstHalf[c]++
		}
	}
	for c := range 6 {
		if counts[c] != 50 || firstHalf[c] < 10 || firstHalf[c] > 40 {
			t.Errorf("cell %d: %d trials, %d of them in the first half", c, counts[c], firstHalf[c])
		}
	}
	m.Seed = 2
	if slices.Equal(order, m.Order()) {
		t.Error("another seed gave the same order")
	}
}

func TestSizeDoesNotOverflow(t *testing.T) {
	values := make([]string, 1000)
	m := &Matrix{Trials: 1_000_000}
	for i := range 10 {
		m.Axes = append(m.Axes, Axis{fmt.Sprint(i), values})
	}
	if m.Size() <= Most {
		t.Errorf("size %d", m.Size())
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("scenario: ghost-map\naxes:\n  gomaxprocs: [1, 2]\n"))
	f.Add([]byte("axes: {a: [*x]}"))
	f.Fuzz(func(t *testing.T, text []byte) {
		m, err := Parse("m.yaml", text, find)
		if err == nil && (m.Scenario == nil || m.Trials < 1) {
			t.Errorf("accepted: %+v", m)
		}
	})
}
