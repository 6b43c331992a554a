package live_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mattn/go-runewidth"

	"ghostlab/lab/crash"
	"ghostlab/lab/journal"
	"ghostlab/lab/live"
	"ghostlab/lab/matrix"
	"ghostlab/lab/progress"
	"ghostlab/scenarios"
)

// plan is a matrix of rows × columns cells.
func plan(t testing.TB, rows, columns, trials int) live.Plan {
	t.Helper()
	count := func(n int) string {
		var values []string
		for v := range n {
			values = append(values, fmt.Sprint(v+1))
		}
		return strings.Join(values, ",")
	}
	m, err := matrix.Of(scenarios.Of(scenarios.Program{ImportPath: "example.com/queue"}, time.Second), matrix.Options{Set: []matrix.Flag{
		{Name: "env.A", Value: count(rows)}, {Name: "gomaxprocs", Value: count(columns)},
	}})
	if err != nil {
		t.Fatal(err)
	}
	return live.Plan{Title: "queue", Axes: m.Axes, Cells: m.Cells(), Trials: trials}
}

func ended(cell int, o crash.Outcome, title string) journal.Trial {
	return journal.Trial{N: 1, Cell: cell, Outcome: o, Title: title}
}

func TestGrid(t *testing.T) {
	v := live.New(nil, plan(t, 2, 2, 10))
	for range 5 {
		v.Trial(ended(0, crash.Pass, ""))
		v.Trial(ended(1, crash.Crash, "panic: \x1b[2Jboom"))
	}
	v.Trial(ended(1, crash.Hang, "no end"))
	v.Trial(ended(1, crash.Infra, ""))
	v.Stopped(1)
	for _, c := range []struct {
		width, height int
		want          string
	}{
		{150, 20, `
queue: 12/37 trials, 5 crashes, 1 hang or panic, 1 without a result [===========>--------------------------]
env.A  gomaxprocs                trials  crashes    rate  95 % at any time  hangs, panics  most frequent signature
1      1           [====>-----]    5/10        0   0.0 %   0.0 % to 58.5 %              0  -
1      2           [stopped]          7        5  83.3 %  26.9 % to 99.9 %              1  panic: ^[[2Jboom
2      1           [----------]    0/10        0       -                 -              0  -
2      2           [----------]    0/10        0       -                 -              0  -`},
		{60, 20, `
queue: 12/37 trials, 5 crashes, 1 hang or panic, 1 without a result
env.A  gomaxprocs  trials  crashes    rate  95 % at any time
1      1             5/10        0   0.0 %   0.0 % to 58.5 %
1      2                7        5  83.3 %  26.9 % to 99.9 %
2      1             0/10        0       -                 -
2      2             0/10        0       -                 -`},
		{30, 5, `
queue: 12/37 trials, 5 crashes, 1 hang or panic, 1 without a result
each character is a cell: _ not begun, . no crash so far, 1-9 tenths crash, # all crash, ! hangs or panics
.8 __`},
	} {
		if got := strings.Join(v.Lines(c.width, c.height), "\n"); got != c.want[1:] {
			t.Errorf("%d × %d:\n%s\nwant:%s", c.width, c.height, got, c.want)
		}
	}
}

// Whatever the numbers of cells and the size of the screen, the view has no more
// lines than fit, and only the two of words may be too wide.
func TestFits(t *testing.T) {
	for _, p := range []live.Plan{plan(t, 1, 1, 3), plan(t, 7, 9, 3), plan(t, 40, 100, 3), plan(t, 300, 200, 3)} {
		v := live.New(nil, p)
		last := len(p.Cells) - 1
		v.Trial(ended(last, crash.Crash, "x"))
		for _, width := range []int{1, 2, 9, 40, 79, 200} {
			for _, height := range []int{3, 10, 24, 100} {
				lines := v.Lines(width, height)
				if len(lines) > height {
					t.Errorf("%d cells in %d × %d: %d lines", len(p.Cells), width, height, len(lines))
				}
				overview := len(p.Cells)+2 > height
				for i, l := range lines {
					if w := runewidth.StringWidth(l); w > width && overview && i > 1 {
						t.Errorf("%d cells in %d × %d: line %d has %d columns", len(p.Cells), width, height, i, w)
					}
				}
				if end := lines[len(lines)-1]; overview && !strings.HasSuffix(end, "#") {
					t.Errorf("%d cells in %d × %d: the last cell's crash is not shown: %q", len(p.Cells), width, height, end)
				}
			}
		}
	}
}

// A log stays small, says each kind of failure once, and holds nothing that
// could act on a terminal.
func TestPlainLines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b bytes.Buffer
		v := live.New(progress.New(&b), plan(t, 1, 2, 1800))
		for i := range 3600 {
			time.Sleep(time.Second)
			switch i % 9 {
			case 3:
				v.Trial(ended(1, crash.Crash, "panic: \x1b[2Jboom"))
			case 5:
				v.Trial(ended(0, crash.Hang, "no end"))
			default:
				v.Trial(ended(0, crash.Pass, ""))
			}
		}
		v.End()
		lines := strings.Split(strings.TrimSpace(b.String()), "\n")
		want := []string{
			"queue: 3600 trials in 2 cells",
			"first of its kind: env.A=1 gomaxprocs=2: crash, panic: ^[[2Jboom (trial 1)",
			"queue: 5/3600 trials, 1 crash, 59m55s left",
			"first of its kind: env.A=1 gomaxprocs=1: hang, no end (trial 1)",
			"queue: 10/3600 trials, 1 crash, 1 hang or panic, 59m50s left",
		}
		if !reflect.DeepEqual(lines[:5], want) {
			t.Errorf("the log begins\n%s", strings.Join(lines[:5], "\n"))
		}
		if len(lines) > 100 || len(lines) < 60 {
			t.Errorf("%d lines in an hour", len(lines))
		}
	})
}

// A part of a matrix has its own trials only, and a cell that a rule will end
// soon does not count as one that takes all of them.
func TestShardAndStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := plan(t, 1, 2, 101)
		p.Shard = matrix.Shard{Index: 1, Of: 2}
		v := live.New(nil, p)
		if got, want := v.Lines(45, 24)[0], "queue: 0/101 trials, 0 crashes"; !strings.HasPrefix(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
		p = plan(t, 1, 1, 1000)
		p.Stop = matrix.Stop{Width: 0.25}
		least, _ := p.Stop.Range(1000)
		v = live.New(nil, p)
		for range 10 {
			time.Sleep(time.Second)
			v.Trial(ended(0, crash.Pass, ""))
		}
		want := fmt.Sprintf("queue: 10/1000 trials, 0 crashes, %ds left", least-10)
		if got := v.Lines(len(want), 24)[0]; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}

// A run that goes on counts what it has, and guesses the time left from what it
// does now.
func TestPastTrials(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := live.New(nil, plan(t, 1, 1, 100))
		for range 80 {
			v.Past(ended(0, crash.Pass, ""))
		}
		for range 10 {
			time.Sleep(time.Second)
			v.Trial(ended(0, crash.Pass, ""))
		}
		if got, want := v.Lines(45, 24)[0], "queue: 90/100 trials, 0 crashes, 10s left"; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}

func TestEvents(t *testing.T) {
	var b bytes.Buffer
	e := live.NewEvents(&b)
	e.Build(progress.Step{Name: "kernel", Done: 1, Total: 2})
	e.Plan(journal.Run{ID: "r", Scenario: "s", Trials: 3, Cells: []matrix.Cell{{Axes: map[string]string{"a": "1"}}}}, "/runs/r")
	e.Guest("qemu")
	e.Trial(journal.Trial{N: 7, Outcome: crash.Crash, Title: "line\nbreak"})
	e.Stopped(0)
	e.Trouble("again")
	e.End(3, fmt.Errorf("why"))
	var kinds []string
	var all []live.Event
	for line := range strings.Lines(b.String()) {
		var ev live.Event
		if err := json.Unmarshal([]byte(line), &ev); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		if ev.Time.IsZero() {
			t.Errorf("no time: %s", line)
		}
		kinds, all = append(kinds, ev.Event), append(all, ev)
	}
	if got := strings.Join(kinds, " "); got != "build plan guest trial cell-stopped trouble end" {
		t.Fatalf("events: %s", got)
	}
	if all[3].Trial.N != 7 || all[3].Trial.Title != "line\nbreak" || *all[4].Cell != 0 || *all[6].Code != 3 || all[6].Error != "why" {
		t.Errorf("got\n%s", b.String())
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, fmt.Errorf("disk full") }

func TestLostEventsAreSaidOnce(t *testing.T) {
	said := 0
	e := live.NewEvents(full{})
	e.Lost = func(error) { said++ }
	for range 3 {
		e.Trouble("x")
	}
	if said != 1 {
		t.Errorf("said %d times", said)
	}
	(*live.Events)(nil).Trouble("to nobody")
}

// Counting a trial must cost next to nothing beside the trial: see lab/bench.
func BenchmarkTrial(b *testing.B) {
	v := live.New(nil, plan(b, 40, 100, 1<<30))
	tr := ended(17, crash.Crash, "panic: boom")
	for b.Loop() {
		v.Trial(tr)
	}
}

func BenchmarkLines(b *testing.B) {
	v := live.New(nil, plan(b, 5, 8, 1<<30))
	for i := range 4000 {
		v.Trial(ended(i%40, crash.Crash, "panic: boom"))
	}
	for b.Loop() {
		v.Lines(120, 50)
	}
}
