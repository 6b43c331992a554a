package journal

import (
	"reflect"
	"testing"

	"ghostlab/lab/crash"
	"ghostlab/lab/matrix"
)

// stopping is a run of two cells that stop.
func stopping(t *testing.T, rule matrix.Stop) *Folder {
	t.Helper()
	f, err := Create(t.TempDir(), planned(Run{ID: "r", Trials: 1000, Stop: rule}, 2))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func TestStopAtTheFirst(t *testing.T) {
	f := stopping(t, matrix.Stop{First: []crash.Outcome{crash.Crash, crash.Hang}})
	for n, tr := range []Trial{{Outcome: crash.Pass}, {Outcome: crash.Infra}, {Outcome: crash.Hang, Cell: 1}, {Outcome: crash.GuestPanic}, {Outcome: crash.Crash}, {Outcome: crash.Crash}} {
		tr.N = n + 1
		if err := f.Append(tr, nil); err != nil {
			t.Fatal(err)
		}
		if f.Stopped(0) != (n >= 4) || f.Stopped(1) != (n >= 2) {
			t.Errorf("after trial %d: stopped %v, %v", tr.N, f.Stopped(0), f.Stopped(1))
		}
	}
	want := []Stopped{{Cell: 1, Trials: 1, Why: "first hang"}, {Cell: 0, Trials: 3, Crashes: 1, Why: "first crash"}}
	run, err := ReadRun(f.Dir())
	if err != nil || !reflect.DeepEqual(run.Stopped, want) {
		t.Errorf("recorded %+v (%v)", run.Stopped, err)
	}
}

// A lab that is killed before it has recorded that a cell has stopped, and one
// that is not, leave the same run.
func TestStoppedFollowsFromTheTrials(t *testing.T) {
	f := stopping(t, matrix.Stop{Width: 0.4})
	n := 0
	for !f.Stopped(0) {
		if n++; n > 100 {
			t.Fatal("100 passes have an interval wider than 0.4")
		}
		if err := f.Append(Trial{N: n, Outcome: crash.Pass}, nil); err != nil {
			t.Fatal(err)
		}
	}
	want := f.Run().Stopped
	if len(want) != 1 || want[0].Trials != n || n < 5 {
		t.Errorf("after %d passes: %+v", n, want)
	}
	f.run.Stopped = nil
	f.save()
	f.Close()
	g, err := Resume(f.Dir(), func(Trial) {})
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	if got := g.Run().Stopped; !reflect.DeepEqual(got, want) || !g.Stopped(0) || g.Stopped(1) {
		t.Errorf("resumed: %+v, want %+v", got, want)
	}
}
