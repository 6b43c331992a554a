package matrix

import (
	"slices"
	"testing"

	"ghostlab/scenarios"
)

var options = Options{Find: scenarios.In("../../scenarios"), Presets: map[string]string{AxisGo: "1.21.6", AxisKernel: "5.15", AxisVCPUs: "2", AxisCPU: "cortex-a57", AxisMemory: "512M"}}

func labels(m *Matrix) []string {
	var all []string
	for i, c := range m.Cells() {
		if c.Index != i {
			all = append(all, "a wrong index")
		}
		all = append(all, c.Label(m.Varied()))
	}
	return all
}

func parsed(t *testing.T, text string, opt Options) *Matrix {
	t.Helper()
	m, err := Parse("m.yaml", []byte(text), opt)
	if err != nil {
		t.Fatalf("%s\n%v", text, err)
	}
	return m
}

func wantLabels(t *testing.T, m *Matrix, want ...string) {
	t.Helper()
	if got := labels(m); !slices.Equal(got, want) {
		t.Errorf("got cells\n%q\nwant\n%q", got, want)
	}
}

func TestCells(t *testing.T) {
	m := parsed(t, `
scenario: ghost-map
axes:
  gomaxprocs: [1, 2]
  mmap_align: [none, 2MiB, huge]
exclude:
  - gomaxprocs: 1
    mmap_align: [2MiB, huge]
`, options)
	wantLabels(t, m, "gomaxprocs=1 mmap_align=none", "gomaxprocs=2 mmap_align=none", "gomaxprocs=2 mmap_align=2MiB", "gomaxprocs=2 mmap_align=huge")
	if m.Size() != 400 {
		t.Errorf("%d trials", m.Size())
	}
}

// An included cell has the default of each axis that it does not name, and so
// has every other cell on an axis that only included cells name.
func TestIncludedCellsAreWhole(t *testing.T) {
	m := parsed(t, `
scenario: ghost-map
engine: deterministic
axes:
  gomaxprocs: [1]
  go: [1.24.6]
  engine: [parallel]
  env.GODEBUG: [x=1]
include:
  - spin: 5ms
  - memory: 1G
    gomaxprocs: 1
    env.GODEBUG: ""
`, options)
	wantLabels(t, m,
		"gomaxprocs=1 go=1.24.6 engine=parallel env.GODEBUG=x=1 spin=0s memory=512M",
		"gomaxprocs=2 go=1.21.6 engine=deterministic spin=5ms memory=512M",
		"gomaxprocs=1 go=1.21.6 engine=deterministic env.GODEBUG= spin=0s memory=1G")
	if env := m.Cells()[0].Env(); !slices.Equal(env, []string{"GODEBUG=x=1"}) {
		t.Errorf("environment %q", env)
	}
}

func TestIncludeBringsBackAnExcludedCell(t *testing.T) {
	m := parsed(t, `
scenario: ghost-map
axes: {gomaxprocs: [1, 2], populate: [false, true]}
exclude: [{populate: true}]
include: [{populate: true, gomaxprocs: 1}]
`, options)
	wantLabels(t, m, "gomaxprocs=1 populate=false", "gomaxprocs=2 populate=false", "gomaxprocs=1 populate=true")
}

func TestExpectationsAndTheRest(t *testing.T) {
	m := parsed(t, `
scenario: ghost-map
trials: 500
timeout: 5s
axes: {gomaxprocs: [1, 2]}
expect:
  - where: {gomaxprocs: 2}
    crash: ">= 50 %"
    signature: concurrent map
  - {hang: never, guest-panic: "< 0.25"}
stop: {width: 10 %, first: [hang, crash]}
collect: {passes: 0, evidence: [console]}
`, options)
	var claims []string
	for _, e := range m.Expect {
		claims = append(claims, e.Where.String()+": "+e.String())
	}
	if want := []string{`gomaxprocs=2: crash ("concurrent map") >= 50 %`, "all cells: hang never", "all cells: guest-panic < 25 %"}; !slices.Equal(claims, want) {
		t.Errorf("got %q\nwant %q", claims, want)
	}
	if m.Trials != 500 || m.Timeout.Seconds() != 5 || m.Stop.Width != 0.1 || !m.Stop.Ends("crash") || !m.Stop.Ends("hang") || m.Stop.Ends("pass") {
		t.Errorf("%+v", m)
	}
	if c := m.Collect; !c.Keeps(Console) || c.Keeps(Faults) || c.Passes != 0 {
		t.Errorf("%+v", c)
	}
}
