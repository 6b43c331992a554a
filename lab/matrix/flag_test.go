package matrix

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

const base = `
scenario: ghost-map
trials: 7
axes:
  gomaxprocs: [1, 2]
  mmap_align: [none, 2MiB]
exclude: [{gomaxprocs: 1, mmap_align: 2MiB}]
include: [{gomaxprocs: 4}]
expect:
  - {where: {gomaxprocs: 1}, crash: never}
  - {where: {gomaxprocs: 2}, crash: sometimes}
collect: [console]
`

// set makes the flags of "name=value" arguments.
func set(args ...string) []Flag {
	var flags []Flag
	for _, arg := range args {
		name, value, _ := strings.Cut(arg, "=")
		flags = append(flags, Flag{name, value, "flag --x " + arg})
	}
	return flags
}

func TestFlagsTakeTheFilesPlace(t *testing.T) {
	for _, c := range []struct {
		set, only []string
		want      []string
		check     func(*Matrix) bool
	}{
		{nil, nil, []string{"gomaxprocs=1 mmap_align=none", "gomaxprocs=2 mmap_align=none", "gomaxprocs=2 mmap_align=2MiB", "gomaxprocs=4 mmap_align=none"},
			func(m *Matrix) bool { return m.Trials == 7 && len(m.Expect) == 2 }},
		{[]string{"trials=9", "axes.gomaxprocs=2,3", "mmap_align=[none]"}, nil,
			[]string{"gomaxprocs=2 mmap_align=none", "gomaxprocs=3 mmap_align=none", "gomaxprocs=4 mmap_align=none"},
			func(m *Matrix) bool { return m.Trials == 9 && len(m.Expect) == 1 }}, // of a cell that is gone nothing is claimed
		{[]string{"gomaxprocs=4"}, nil, []string{"gomaxprocs=4 mmap_align=none", "gomaxprocs=4 mmap_align=2MiB"}, nil},
		{[]string{"env.A=x=1,y", "gomaxprocs=1"}, nil,
			[]string{"gomaxprocs=1 mmap_align=none env.A=x=1", "gomaxprocs=1 mmap_align=none env.A=y", "gomaxprocs=4 mmap_align=none"}, nil},
		{[]string{"stop.width=5 %", "stop.first=hang,crash", "collect.passes=2", "expect=[{pass: always}]", "timeout=3s"}, []string{"gomaxprocs=1"},
			[]string{"gomaxprocs=1 mmap_align=none"},
			func(m *Matrix) bool {
				return m.Stop.Width == 0.05 && m.Stop.Ends("hang") && m.Collect.Passes == 2 && m.Collect.Keeps(Console) && !m.Collect.Keeps(Faults) &&
					m.Timeout.Seconds() == 3 && m.Expect[0].Claim.Word == Always
			}},
		{nil, []string{"gomaxprocs=1,4", "mmap_align=none"}, []string{"gomaxprocs=1 mmap_align=none", "gomaxprocs=4 mmap_align=none"}, nil},
	} {
		opt := options
		opt.Set, opt.Only = set(c.set...), set(c.only...)
		m := parsed(t, base, opt)
		wantLabels(t, m, c.want...)
		if c.check != nil && !c.check(m) {
			t.Errorf("%q %q: %+v", c.set, c.only, m)
		}
	}
}

func TestWrongFlags(t *testing.T) {
	for _, c := range []struct{ set, only, want, hint string }{
		{"trials=two", "", `trials: want an integer, got "two" (flag --x trials=two)`, ""},
		{"trials=1000000000000", "", `trials: want at most 1073741824 in all 4 cells together, got 1000000000000 in each (flag --x trials=`, ""},
		{`env.X=["a\x00b"]`, "", `axis "env.X": want text without NUL characters, got "a\x00b"`, ""},
		{"trails=2", "", `neither a key of a matrix nor an axis: "trails" (flag --x trails=2)`, `did you mean "trials"?`},
		{"gomaxproc=2", "", `neither a key of a matrix nor an axis: "gomaxproc"`, `did you mean "gomaxprocs"?`},
		{"axes.gomaxproc=2", "", `neither a key of a matrix nor an axis: "axes.gomaxproc"`, `did you mean "gomaxprocs"?`},
		{"gomaxprocs=0", "", `axis "gomaxprocs": want at least 1, got 0 (flag --x gomaxprocs=0)`, ""},
		{"gomaxprocs=1,,2", "", `axis "gomaxprocs": want an integer, got ""`, ""},
		{"gomaxprocs=", "", `axis "gomaxprocs": want an integer, got ""`, ""},
		{"mmap_align=2MB", "", `got "2MB" (flag`, `did you mean "2MiB"?`},
		{"engine=parallel,deterministic", "", `engine: want one value, got "parallel,deterministic" (flag`, "the axis of that name is axes.engine"},
		{"stop=soon", "", `stop: want a map, got "soon" (flag`, ""},
		{"stop.widht=1", "", `neither a key of a matrix nor an axis: "stop.widht"`, `did you mean "width"?`},
		{"exclude=[{gomaxprocs: 9}]", "", `exclude: no cell has gomaxprocs=9 (flag`, ""},
		{"exclude=[{", "", `(flag --x exclude=[{`, ""},
		{"scenario=split-sp", "", `the scenario is the file's to name`, ""},
		{"", "gomaxprocs=3", `only: no cell has gomaxprocs=3 (flag --x gomaxprocs=3)`, `did you mean "1"?`},
		{"", "gomaxproc=2", `axis "gomaxproc": neither`, `did you mean "gomaxprocs"?`},
		{"", "populate=true", `only: no cell has the axis "populate"`, "there are: gomaxprocs, mmap_align"},
		{"", "gomaxprocs=1,mmap_align=2MiB", `only: want one axis to a flag, got "gomaxprocs=1,mmap_align=2MiB"`, "say --x gomaxprocs=1 --x mmap_align=2MiB"},
		{"", "gomaxprocs=1 mmap_align=2MiB", `only: want one axis to a flag`, "say --x gomaxprocs=1 --x mmap_align=2MiB"},
		{"", "gomaxprocs=1,nothing=2", `axis "gomaxprocs": want an integer`, ""},
		{"trials=2, seed=3,stop.first=hang", "", `trials: want one setting to a flag, got "trials=2, seed=3,stop.first=hang"`, "say --x trials=2 --x seed=3,stop.first=hang"},
	} {
		opt := options
		if c.set != "" {
			opt.Set = set(c.set)
		}
		if c.only != "" {
			opt.Only = set(c.only)
		}
		_, err := Parse("m.yaml", []byte(base), opt)
		checkError(t, c.set+c.only, err, c.want, c.hint)
	}
	opt := options
	opt.Only = set("gomaxprocs=1", "mmap_align=2MiB")
	_, err := Parse("m.yaml", []byte(base), opt)
	checkError(t, "two that exclude each other", err, "only: no cell has mmap_align=2MiB (flag --x mmap_align=2MiB)", "")
}

// A flag does not mend a file that is wrong.
func TestTheFileIsRightByItself(t *testing.T) {
	opt := options
	opt.Set = set("trials=2")
	_, err := Parse("m.yaml", []byte(ofGhostMap+"trials: two\n"), opt)
	checkError(t, "trials", err, "(m.yaml:2:9)", "")
}

// What FlagValue writes a flag reads back, whatever the values are.
func FuzzFlagValue(f *testing.F) {
	f.Add("max,pauth=off", "cortex-a57")
	f.Add(`"quoted" 'text'`, " with blanks ")
	f.Add("[a]", "{b}")
	f.Add("a: b # c", "\\ \t\r\n")
	f.Add("", "-")
	f.Add("\x1b[31m\u0085\u202e\U000e0001\ufeff", "ä\u2028🙂")
	f.Fuzz(func(t *testing.T, a, b string) {
		if !utf8.ValidString(a+b) || a == b || strings.ContainsRune(a+b, 0) {
			t.Skip() // an argument of run.json is text
		}
		fields := axesForm(nil)
		x, _ := fields.field("env.X")
		for _, values := range [][]string{{a, b}, {a}} {
			text := FlagValue(values...)
			got, err := x.form.readFlag(&source{"flag", true}, "", text)
			if err != nil || !slices.Equal(got.texts(), values) {
				t.Errorf("%q as %s: got %q, %v", values, text, got.texts(), err)
			}
		}
	})
}
