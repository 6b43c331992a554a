package matrix

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"ghostlab/scenarios"
)

// good are matrices that parser and schema take.
var good = []string{
	"scenario: ghost-map",
	"scenario: ghost-map\ntrials: 3\nseed: 7\ntimeout: 1m5s\nengine: deterministic\nisolation: process\nshift: 6\n",
	"scenario: ghost-map\nsearch: hunt\naxes: {gomaxprocs: 2}\n",
	"scenario: ghost-map\naxes:\n  gomaxprocs: [1, 2]\n  mmap_align: [none, 2MiB]\n  populate: [true, false]\n  spin: [0, 5ms]\n  go: [1.21.6, 1.22]\n  kernel: [5.15, 6.1]\n  vcpus: 1\n  cpu: [cortex-a72, 'max,pauth=off']\n  memory: [512M, 1G, 640]\n  engine: [parallel, deterministic]\n  shift: 3\n  isolation: fork\n  env.GODEBUG: [\"x=1\", \"\", 1, true]\n",
	"scenario: ghost-map\naxes: {gomaxprocs: [1, 2]}\nexclude: [{gomaxprocs: 1}]\ninclude: [{gomaxprocs: 4, spin: 1ms}]\n",
	"scenario: ghost-map\naxes: {gomaxprocs: [1, 2, 4]}\nexpect:\n- {where: {gomaxprocs: [2, 4]}, crash: '>= 50 %', signature: 'concurrent map'}\n- {crash: sometimes, hang: never, pass: '< 0.5', guest-panic: '<=5%'}\n- {where: {gomaxprocs: 1}, pass: always}\n",
	"scenario: ghost-map\nstop: {width: 0.1, first: crash}\ncollect: [console, core]\n",
	"scenario: ghost-map\nstop: {width: 5 %}\ncollect: {evidence: [], passes: 0}\n",
	"scenario: ghost-map\nstop: {first: [hang, crash]}\ncollect: []\n",
	"scenario: ghost-map\ncollect: console\n",
}

const ofGhostMap = "scenario: ghost-map\n"

// bad are those that the parser refuses, and the schema where it can.
var bad = []struct {
	text, want, hint string
	schema           bool
}{
	{ofGhostMap + "trails: 3\n", `unknown key "trails" (m.yaml:2:1)`, `did you mean "trials"?`, true},
	{ofGhostMap + "trials: two\n", `trials: want an integer, got "two" (m.yaml:2:9)`, "", true},
	{ofGhostMap + "trials: 0\n", `trials: want at least 1, got 0 (m.yaml:2:9)`, "", true},
	{ofGhostMap + "trials: [1]\n", `trials: want one value, got a list (m.yaml:2:9)`, "", true},
	{ofGhostMap + "trials:\n", `trials: want a value, got none (m.yaml:2:9)`, "", true},
	{ofGhostMap + "trials: {a: b}\n", `trials: want one value, got a map (m.yaml:2:10)`, "", true},
	{ofGhostMap + "seed: -1\n", `seed: want at least 0, got -1 (m.yaml:2:7)`, "", true},
	{ofGhostMap + "timeout: soon\n", `timeout: want a duration such as 10s, got "soon" (m.yaml:2:10)`, "", true},
	{ofGhostMap + "timeout: 0s\n", `timeout: want a duration such as 10s, got "0s" (m.yaml:2:10)`, "", false},
	{ofGhostMap + "engine: fast\n", `engine: want parallel or deterministic, got "fast" (m.yaml:2:9)`, "", true},
	{ofGhostMap + "isolation: prozess\n", `isolation: want one of fork, process, boot, got "prozess"`, `did you mean "process"?`, true},
	{ofGhostMap + "shift: 12\n", `shift: want 0 to 9, got 12 (m.yaml:2:8)`, "", true},
	{ofGhostMap + "search: hunt\nengine: parallel\n", `engine: a hunt needs the deterministic engine, whose trials can be replayed (m.yaml:3:9)`, "", false},
	{ofGhostMap + "search: hunt\nstop: {width: 0.1}\n", `stop: a hunt's trials are made to fail, they have no rate (m.yaml:3:8)`, "", false},
	{ofGhostMap + "search: hunt\naxes: {vcpus: 1}\n", `axis "vcpus": the hunt chooses it (m.yaml:3:8)`, "", false},

	{ofGhostMap + "axes:\n  gomaxprocs: [1, two]\n", `axis "gomaxprocs": want an integer, got "two" (m.yaml:3:19)`, "", true},
	{ofGhostMap + "axes:\n  gomaxprocs: []\n", `axis "gomaxprocs": want at least one value, got an empty list (m.yaml:3:15)`, "", true},
	{ofGhostMap + "axes:\n  gomaxproc: [1]\n", `axis "gomaxproc": neither a parameter of ghost-map nor one of the lab's (m.yaml:3:3)`, `did you mean "gomaxprocs"?`, true},
	{ofGhostMap + "axes:\n  gomaxprocs: [1, 1]\n", `axis "gomaxprocs": "1" is there twice (m.yaml:3:19)`, "", true},
	{ofGhostMap + "axes:\n  gomaxprocs: 1\n  gomaxprocs: 2\n", `(m.yaml:4:3)`, "", false},
	{ofGhostMap + "axes:\n  mmap_align: [2MB]\n", `axis "mmap_align": want one of none, 4KiB, 2MiB, huge, got "2MB" (m.yaml:3:16)`, `did you mean "2MiB"?`, true},
	{ofGhostMap + "axes: [1]\n", `axes: want a map, got a list (m.yaml:2:7)`, "", true},
	{ofGhostMap + "axes: {go: [latest]}\n", `axis "go": want a Go release such as 1.21.6, got "latest" (m.yaml:2:13)`, "", true},
	{ofGhostMap + "axes: {kernel: [5.16]}\n", `axis "kernel": want one of 5.15, 6.1, 6.12, got "5.16"`, `did you mean "5.15"?`, true},
	{ofGhostMap + "axes: {vcpus: [9]}\n", `axis "vcpus": want 1 to 8, got 9`, "", true},
	{ofGhostMap + "axes: {cpu: [Cortex A72]}\n", `axis "cpu": want a CPU model of QEMU's such as cortex-a72, got "Cortex A72"`, "", true},
	{ofGhostMap + "axes: {memory: [64]}\n", `axis "memory": want 128M to 3072M, got "64"`, "", true},
	{ofGhostMap + "axes: {memory: [8G]}\n", `axis "memory": want 128M to 3072M, got "8G"`, "", false},
	{ofGhostMap + "axes: {memory: [512, 512M]}\n", `axis "memory": 512M is 512 again (m.yaml:2:22)`, "", false},
	{ofGhostMap + "axes: {env.1: [a]}\n", `axis "env.1": neither`, "", true},
	{ofGhostMap + "axes: {gomaxprocs: [&a 1]}\n", `axis "gomaxprocs": anchors, aliases and tags have no meaning here`, "", false},
	{ofGhostMap + "axes: {gomaxprocs: [[1]]}\n", `axis "gomaxprocs": want one value, got a list`, "", true},

	{ofGhostMap + "axes: {gomaxprocs: [1, 2]}\nexclude: [{gomaxprocs: 3}]\n", `exclude: no cell has gomaxprocs=3 (m.yaml:3:24)`, `did you mean "1"?`, false},
	{ofGhostMap + "axes: {gomaxprocs: [1, 2]}\nexclude: [{mmap_align: huge}]\n", `exclude: no cell has the axis "mmap_align" (m.yaml:3:12)`, "there are: gomaxprocs", false},
	{ofGhostMap + "axes: {gomaxprocs: [1, 2]}\nexclude: [{gomaxproc: 1}]\n", `exclude: axis "gomaxproc": neither`, `did you mean "gomaxprocs"?`, true},
	{ofGhostMap + "axes: {gomaxprocs: [1, 2]}\nexclude: [{}]\n", `exclude: want at least one key, got an empty map (m.yaml:3:11)`, "", true},
	{ofGhostMap + "axes: {gomaxprocs: [1, 2]}\nexclude: {gomaxprocs: 1}\n", `exclude: want a list, got a map`, "", true},
	{ofGhostMap + "axes: {gomaxprocs: [1, 2]}\nexclude: [{gomaxprocs: [1, 2]}]\n", `exclude: no cell is left`, "", false},
	{ofGhostMap + "axes: {gomaxprocs: [1, 2]}\ninclude: [{gomaxprocs: 2}]\n", `include: the cell gomaxprocs=2 is there already (m.yaml:3:12)`, "", false},
	{ofGhostMap + "axes: {gomaxprocs: [1, 2]}\ninclude: [{gomaxprocs: 4, spin: 0s}, {gomaxprocs: 4}]\n", `include: the cell gomaxprocs=4 spin=0s is there already (m.yaml:3:39)`, "", false},
	{ofGhostMap + "include: [{gomaxprocs: [2, 4]}]\n", `include: gomaxprocs: want one value, got a list`, "", true},

	{ofGhostMap + "expect: [{where: {gomaxprocs: 1}, crash: never}]\n", `expect: where: no cell has the axis "gomaxprocs"`, "", false},
	{ofGhostMap + "axes: {gomaxprocs: [1, 2], populate: [true, false]}\nexclude: [{gomaxprocs: 1, populate: true}]\nexpect: [{where: {gomaxprocs: 1, populate: true}, crash: never}]\n", `expect: where: no cell has gomaxprocs=1 populate=true (m.yaml:4:19)`, "", false},
	{ofGhostMap + "expect: [{crsh: never}]\n", `expect: unknown key "crsh" (m.yaml:2:11)`, `did you mean "crash"?`, true},
	{ofGhostMap + "expect: [{signature: x}]\n", `expect: want crash or hang or guest-panic or pass (m.yaml:2:11)`, "", true},
	{ofGhostMap + "expect: [{crash: nevr}]\n", `expect: crash: want never, always, sometimes or a comparison such as ">= 50 %", got "nevr"`, "", true},
	{ofGhostMap + "expect: [{crash: '>= 150 %'}]\n", `expect: crash: want never, always, sometimes`, "", false},
	{ofGhostMap + "expect:\n- crash: >= 50 %\n", `text that begins with > or | needs quotes (m.yaml:3:10)`, "", false},
	{ofGhostMap + "expect:\n- crash: > 50 %\n", `text that begins with > or | needs quotes (m.yaml:3:10)`, "", false},
	{ofGhostMap + "expect: never\n", `expect: want a list, got "never"`, "", true},
	{ofGhostMap + "expect: []\n", `expect: want at least one value, got an empty list`, "", true},

	{ofGhostMap + "stop: {}\n", `stop: want width or first (m.yaml:2:7)`, "", true},
	{ofGhostMap + "stop: {width: 2}\n", `stop: width: want a width between 0 and 1 such as 0.1 or 10 %, got "2"`, "", true},
	{ofGhostMap + "stop: {first: crsh}\n", `stop: first: want one of crash, hang, guest-panic, pass, got "crsh"`, `did you mean "crash"?`, true},
	{ofGhostMap + "collect: [consol]\n", `collect: want one of console, faults, guest-log, stacks, core, got "consol"`, `did you mean "console"?`, true},
	{ofGhostMap + "collect: {passes: -1}\n", `collect: passes: want at least 0, got -1`, "", true},
	{ofGhostMap + "collect: [console, console]\n", `collect: "console" is there twice`, "", true},

	{"trials: 3\n", `want scenario (m.yaml:1:1)`, "", true},
	{"", `scenario: want a name, the file is empty (m.yaml)`, "", false},
	{"- scenario: ghost-map\n", `want a map, got a list (m.yaml:1:1)`, "", true},
	{"ghost-map\n", `want a map, got "ghost-map" (m.yaml:1:1)`, "", true},
	{"scenario: ghost-mop\n", `no scenario "ghost-mop" in ../../scenarios (m.yaml:1:11)`, `did you mean "ghost-map"?`, false},
	{ofGhostMap + "  trials: 3\n", `(m.yaml:`, "", false},
	{"scenario: \x00\n", `text without NUL characters, got "\x00" (m.yaml:1:`, "", false},
	{ofGhostMap + "scenario: ghost-map\n", `(m.yaml:2:1)`, "", false},
	{ofGhostMap + "---\ntrials: 3\n", `want one document, got another that begins here (m.yaml:2:1)`, "", false},
}

func TestErrorsHaveAPlace(t *testing.T) {
	for _, c := range bad {
		_, err := Parse("m.yaml", []byte(c.text), options)
		checkError(t, c.text, err, c.want, c.hint)
	}
}

func checkError(t *testing.T, what string, err error, want, hint string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("%s:\n got %v\nwant %s", what, err, want)
		return
	}
	var h interface{ Hint() string }
	if hint != "" && (!errors.As(err, &h) || h.Hint() != hint) {
		t.Errorf("%s: %v:\n got hint %q\nwant %q", what, err, h.Hint(), hint)
	}
}

func TestGood(t *testing.T) {
	for _, text := range good {
		parsed(t, text, options)
	}
}

func TestMoreCombinationsThanAnyoneMeans(t *testing.T) {
	text := ofGhostMap + "axes:\n"
	for i := range 40 {
		text += fmt.Sprintf("  env.A%d: [1, 2, 3, 4, 5, 6, 7, 8, 9]\n", i)
	}
	_, err := Parse("m.yaml", []byte(text), options)
	checkError(t, "40 axes", err, "axes: they have more than 100000 combinations (m.yaml:3:3)", "")
}

func TestMoreTrialsThanMemory(t *testing.T) {
	_, err := Parse("m.yaml", []byte(ofGhostMap+"trials: 4611686018427387904\naxes: {gomaxprocs: [1, 2, 4, 8]}\n"), options)
	checkError(t, "2^64 trials", err, "trials: want at most 1073741824 in all 4 cells together, got 4611686018427387904 in each (m.yaml:2:9)", "")
}

// A scenario whose parameter has the name of one of the lab's axes would have
// cells that mean two things.
func TestParameterWithTheNameOfAnAxis(t *testing.T) {
	s, err := options.Find("ghost-map")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{AxisMemory, "env.X"} {
		twin := *s
		twin.Params = map[string]scenarios.Param{name: s.Params["gomaxprocs"]}
		opt := options
		opt.Find = func(string) (*scenarios.Scenario, error) { return &twin, nil }
		_, err := Parse("m.yaml", []byte(ofGhostMap), opt)
		checkError(t, name, err, fmt.Sprintf("parameter %q: ", name), "give the parameter another name")
	}
}

// Whatever a user writes is a matrix or an error with the file's name.
func FuzzParse(f *testing.F) {
	for _, text := range good {
		f.Add([]byte(text), "")
	}
	for _, c := range bad {
		f.Add([]byte(c.text), "")
	}
	f.Add([]byte(good[3]), "gomaxprocs=1,2")
	f.Add([]byte(good[5]), "expect=[{crash: never}]")
	f.Fuzz(func(t *testing.T, text []byte, set string) {
		opt := options
		if name, v, ok := strings.Cut(set, "="); ok {
			opt.Set = []Flag{{name, v, "flag --set"}}
			opt.Only = []Flag{{name, v, "flag --only"}}
		}
		m, err := Parse("m.yaml", text, opt)
		if err != nil {
			if s := err.Error(); !strings.Contains(s, "m.yaml") && !strings.Contains(s, "flag --") && !strings.Contains(s, "scenario.yaml") {
				t.Errorf("no place: %v", err)
			}
			return
		}
		if m.Trials < 1 || len(m.Cells()) == 0 || m.Size() < m.Trials || m.Size() > Limit {
			t.Errorf("accepted: %+v", m)
		}
	})
}
