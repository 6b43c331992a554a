package journal

import (
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"ghostlab/lab/crash"
	"ghostlab/lab/matrix"
)

func write(t *testing.T, dir, id string, started time.Time, trials int) *Folder {
	t.Helper()
	f, err := Create(dir, Run{ID: id, Started: started, Cells: []matrix.Cell{{Index: 0}}, Trials: trials})
	if err != nil {
		t.Fatal(err)
	}
	for n := 1; n <= trials; n++ {
		if err := f.Append(Trial{N: n, Outcome: crash.Pass}, Evidence{"console.log": []byte("out"), "empty": nil}); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return f
}

func read(t *testing.T, dir string) []int {
	t.Helper()
	var got []int
	if _, err := Open(dir, func(t Trial) { got = append(got, t.N) }); err != nil {
		t.Fatal(err)
	}
	return got
}

// A lab that is killed can leave any part of the last line.
func TestTornLastLineLosesOnlyItself(t *testing.T) {
	f := write(t, t.TempDir(), "r", time.Now(), 3)
	log := filepath.Join(f.Dir(), trialsFile)
	whole, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	second := 0
	for i, c := range whole[:len(whole)-1] {
		if c == '\n' {
			second = i + 1
		}
	}
	for cut := second; cut < len(whole); cut++ {
		if err := os.WriteFile(log, whole[:cut], 0o644); err != nil {
			t.Fatal(err)
		}
		if got := read(t, f.Dir()); !reflect.DeepEqual(got, []int{1, 2}) {
			t.Fatalf("cut at %d: trials %v", cut, got)
		}
	}
}

func TestEvidence(t *testing.T) {
	f := write(t, t.TempDir(), "r", time.Now(), 1)
	files, err := os.ReadDir(filepath.Join(f.Dir(), "trials", "1"))
	if err != nil || len(files) != 1 || files[0].Name() != "console.log" {
		t.Errorf("kept %v, %v", files, err)
	}
}

func TestFind(t *testing.T) {
	dir := t.TempDir()
	if _, err := Find(dir, ""); err == nil {
		t.Error("found a run in an empty folder")
	}
	now := time.Now()
	newest := write(t, dir, "a", now.Add(time.Hour), 1)
	older := write(t, dir, "b", now, 1)
	twin := write(t, dir, "b", now, 1)
	if twin.ID() != "b-2" || twin.Dir() == older.Dir() {
		t.Errorf("a second run of the same name is %s", twin.ID())
	}
	for name, want := range map[string]string{"": newest.Dir(), "b": older.Dir(), older.Dir(): older.Dir()} {
		if got, err := Find(dir, name); err != nil || got != want {
			t.Errorf("Find(%q) = %s, %v; want %s", name, got, err, want)
		}
	}
	if _, err := Find(dir, "c"); err == nil {
		t.Error("found a run that is not there")
	}
}

func FuzzOpen(f *testing.F) {
	f.Add([]byte(`{"trial":1,"cell":0,"outcome":"pass"}` + "\n{"))
	f.Fuzz(func(t *testing.T, log []byte) {
		dir := t.TempDir()
		os.WriteFile(filepath.Join(dir, runFile), []byte(`{"id":"x","cells":[{"index":0}]}`), 0o644)
		os.WriteFile(filepath.Join(dir, trialsFile), log, 0o644)
		Open(dir, func(tr Trial) {
			if tr.Cell != 0 {
				t.Errorf("cell %d of 1", tr.Cell)
			}
		})
	})
}
