package scenarios

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

const good = `name: mine
summary: a race
repro: repro
params:
  threads:
    type: int
    default: 2
    min: 1
    env: GOMAXPROCS
  size:
    type: choice
    values: [4KiB, 1.20, none]
    default: 1.20
    flag: size
  fast:
    type: bool
    default: false
    flag: fast
  spin:
    type: duration
    default: 0s
    flag: spin
  word:
    type: string
    default: "a b"
    env: WORD
`

func parse(t *testing.T, text string) *Scenario {
	t.Helper()
	s, err := load("mine/scenario.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestLoad(t *testing.T) {
	s := parse(t, good)
	if !filepath.IsAbs(s.Dir) || s.ReproDir() != filepath.Join(s.Dir, "repro") || filepath.Base(s.Dir) != "mine" {
		t.Errorf("folder %s, program in %s", s.Dir, s.ReproDir())
	}
	if s.Timeout != 30*time.Second {
		t.Errorf("without a timeout it is %v", s.Timeout)
	}
	if s := parse(t, good+"timeout: 1m5s\n"); s.Timeout != 65*time.Second {
		t.Errorf("timeout %v", s.Timeout)
	}
	if got, want := strings.Join(s.ParamNames(), " "), "fast size spin threads word"; got != want {
		t.Errorf("parameters %s, want %s", got, want)
	}
	// A version-like number is not one: 1.20 is not 1.2.
	if got := s.Params["size"].Default.Text; got != "1.20" {
		t.Errorf("default %q", got)
	}
}

func TestLoadErrorsHaveAPlace(t *testing.T) {
	change := func(old, new string) string {
		if !strings.Contains(good, old) {
			t.Fatalf("no %q", old)
		}
		return strings.Replace(good, old, new, 1)
	}
	for _, c := range []struct{ text, want string }{
		{"", "want name and repro (s.yaml)"},
		{change("repro: repro\n", ""), "want name and repro (s.yaml)"},
		{change("summary", "sumary"), `unknown key "sumary" (s.yaml:2:1)`},
		{change("min: 1", "minimum: 1"), `unknown key "minimum" (s.yaml:8:5)`},
		{change("min: 1", "min: one"), `want an integer, got a string (s.yaml:8:10)`},
		{change("summary: a race", "name: other"), `(s.yaml:2:1)`},
		{change("default: 2", "default: two"), `parameter "threads": default: want an integer, got "two" (s.yaml:7:14)`},
		{change("default: 2", "default: 0"), `parameter "threads": default: want at least 1, got 0 (s.yaml:7:14)`},
		{change("default: 1.20", "default: 1.2"), `parameter "size": default: want one of 4KiB, 1.20, none, got "1.2" (s.yaml:13:14)`},
		{change("default: false", "default: maybe"), `parameter "fast": default: want true or false, got "maybe" (s.yaml:17:14)`},
		{change("default: 0s", "default: 5"), `parameter "spin": default: want a duration such as 5ms, got "5" (s.yaml:21:14)`},
		{change("default: 0s", "default: -1s"), `parameter "spin": default: want a duration such as 5ms, got "-1s" (s.yaml:21:14)`},
		{change("default: 0s", "default: [0s]"), `want one value, got a sequence (s.yaml:21:14)`},
		{change("default: 0s", "default:"), `parameter "spin": default: want a duration such as 5ms, got "" (s.yaml)`},
		{change("type: int", "type: integer"), `parameter "threads": want type int, bool, duration, string or choice, got "integer" (s.yaml:7:14)`},
		{change("    env: GOMAXPROCS\n", ""), `parameter "threads": want env or flag (s.yaml:7:14)`},
		{change("    env: GOMAXPROCS\n", "    env: GOMAXPROCS\n    flag: n\n"), `parameter "threads": want env or flag (s.yaml:7:14)`},
		{change("    values: [4KiB, 1.20, none]\n", ""), `parameter "size": want values to choose from (s.yaml:12:14)`},
		{good + "timeout: soon\n", `timeout: want a duration such as 10s, got "soon" (s.yaml:27:10)`},
		{good + "timeout: -5s\n", `timeout: want a duration such as 10s, got "-5s" (s.yaml:27:10)`},
		{good + "timeout: [5s]\n", `want one value, got a sequence (s.yaml:27:10)`},
		{good + "timeout: 5s\ntimeout: 6s\n", `(s.yaml:28:1)`},
		{"name: [mine]\nrepro: r\n", `want a string, got a list (s.yaml:1:7)`},
		{"name: {a: b}\nrepro: r\n", `want a string, got a map of keys and values (s.yaml:1:`},
		{"name: mine\nrepro: r\nparams: [x]\n", `want a mapping, got a sequence (s.yaml:3:9)`},
		{"name: mine\n  repro: r\n", "(s.yaml:"},
		{"- name\n", "(s.yaml:1:1)"},
		{change("[4KiB, 1.20, none]", "!tag"), "this YAML cannot be read"},
	} {
		_, err := load("s.yaml", []byte(c.text))
		var place *PlaceError
		if !errors.As(err, &place) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s\n got %v\nwant %s", c.text, err, c.want)
		}
	}
}

func TestCommand(t *testing.T) {
	s := parse(t, good)
	for _, c := range []struct {
		set       []string
		args, env string
	}{
		{nil, "-fast=false|-size=1.20|-spin=0s", "GOMAXPROCS=2|WORD=a b"},
		{[]string{"threads=4", "size=none", "word=x=y"}, "-fast=false|-size=none|-spin=0s", "GOMAXPROCS=4|WORD=x=y"},
	} {
		values, err := s.Values(c.set)
		if err != nil {
			t.Fatal(err)
		}
		args, env := s.Command(values)
		if strings.Join(args, "|") != c.args || strings.Join(env, "|") != c.env {
			t.Errorf("%q: got %q and %q", c.set, args, env)
		}
	}
}

func TestWrongValues(t *testing.T) {
	s := parse(t, good)
	for set, want := range map[string]string{
		"threads":     `want name=value, got "threads"`,
		"thread=1":    `mine has no parameter "thread", it has fast, size, spin, threads, word`,
		"threads=0":   `parameter "threads": want at least 1, got 0`,
		"threads=1.5": `parameter "threads": want an integer, got "1.5"`,
		"fast=yes":    `parameter "fast": want true or false, got "yes"`,
		"size=4kib":   `parameter "size": want one of 4KiB, 1.20, none, got "4kib"`,
		"spin=fast":   `parameter "spin": want a duration such as 5ms, got "fast"`,
	} {
		if _, err := s.Values([]string{"word=x", set}); err == nil || err.Error() != want {
			t.Errorf("%s:\n got %v\nwant %s", set, err, want)
		}
	}
}

func TestFind(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "my [new] scenarios")
	for _, name := range []string{"ghost-map", "split-sp"} {
		folder := filepath.Join(dir, name)
		if err := os.MkdirAll(folder, 0o755); err != nil {
			t.Fatal(err)
		}
		text := "name: " + name + "\nrepro: repro\n"
		if err := os.WriteFile(filepath.Join(folder, "scenario.yaml"), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	os.Mkdir(filepath.Join(dir, "empty"), 0o755)
	if got := Names(dir); !slices.Equal(got, []string{"ghost-map", "split-sp"}) {
		t.Errorf("names %q", got)
	}
	t.Chdir(dir)
	for in, names := range map[string][]string{
		dir:       {"split-sp"},
		"nowhere": {"split-sp", "./split-sp", filepath.Join(dir, "split-sp")}, // by its path
	} {
		for _, name := range names {
			s, err := Find(in, name)
			if err != nil || s.Name != "split-sp" || s.Dir != filepath.Join(dir, "split-sp") {
				t.Errorf("%s in %s: %+v, %v", name, in, s, err)
			}
		}
	}
	for _, c := range []struct{ dir, name, hint string }{
		{dir, "ghost-mop", `did you mean "ghost-map"?`},
		{dir, "empty", "there are: ghost-map, split-sp"},
		{filepath.Join(dir, "empty"), "x", "run lab from the repository, or name the scenario's folder"},
	} {
		_, err := Find(c.dir, c.name)
		var none *NotFoundError
		if !errors.As(err, &none) || none.Hint() != c.hint {
			t.Errorf("%s: %v, hint %q, want %q", c.name, err, none.Hint(), c.hint)
		}
	}
}

// Whatever a user writes is a scenario or an error with the file's name.
func FuzzLoad(f *testing.F) {
	f.Add([]byte(good))
	f.Add([]byte("name: &a mine\nrepro: *a\nparams: {x: {type: choice, default: ~, flag: x}}\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		s, err := load("s.yaml", text)
		if err != nil {
			if !strings.Contains(err.Error(), "(s.yaml") {
				t.Errorf("no place: %v", err)
			}
			return
		}
		args, env := s.Command(nil)
		if s.Name == "" || s.Timeout <= 0 || len(args)+len(env) != len(s.Params) {
			t.Errorf("accepted: %+v", s)
		}
	})
}
