package journal

import (
	"bytes"
	"encoding/json"
	"fmt"
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
	f, err := Create(dir, planned(Run{ID: id, Started: started, Trials: trials}, 1))
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

// planned is a run with so many cells, and what each run has of them.
func planned(run Run, cells int) Run {
	run.Kernels = []Kernel{{Asked: "6.1"}}
	for i := range cells {
		run.Cells = append(run.Cells, matrix.Cell{Index: i})
		run.Commands = append(run.Commands, Command{Argv: []string{"/repro"}})
	}
	return run
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
	dir := filepath.Join(t.TempDir(), "br[1]*") // is no pattern
	if _, err := Find(dir, "", nil); err == nil {
		t.Error("found a run in an empty folder")
	}
	now := time.Now()
	newest := write(t, dir, "a", now.Add(time.Hour), 1)
	older := write(t, dir, "b", now, 1)
	twin := write(t, dir, "b", now, 1)
	if filepath.Base(twin.Dir()) != "b-2" {
		t.Errorf("a second run of the same name is %s", twin.Dir())
	}
	for name, want := range map[string]string{"": newest.Dir(), "b": older.Dir(), older.Dir(): older.Dir()} {
		if got, err := Find(dir, name, nil); err != nil || got != want {
			t.Errorf("Find(%q) = %s, %v; want %s", name, got, err, want)
		}
	}
	if _, err := Find(dir, "c", nil); err == nil {
		t.Error("found a run that is not there")
	}
}

func FuzzOpen(f *testing.F) {
	f.Add(`{"trial":1,"cell":0,"outcome":"pass"}` + "\n{")
	f.Fuzz(func(t *testing.T, log string) {
		Open(journalOf(t, log), func(tr Trial) {
			if tr.Cell != 0 {
				t.Errorf("cell %d of 1", tr.Cell)
			}
		})
	})
}

// The fast decoder reads what a lab writes.
func FuzzDecode(f *testing.F) {
	f.Add(`{"trial":2,"cell":2,"outcome":"crash","title":"panic: \u00e9\u2028 \"x\"","exit":-1,"duration":30040704,` +
		`"schedule":{"seed":9007199254740993,"vcpus":2,"shift":-1,"single_step":true,"phase":7944947},` +
		`"vm":2,"position":1,"ended":"2026-11-24T13:36:37.752057339Z","sample":true,"faults":455}`)
	f.Fuzz(func(t *testing.T, text string) {
		var want Trial
		if json.Unmarshal([]byte(text), &want) != nil {
			return
		}
		line, err := json.Marshal(want)
		if err != nil {
			return
		}
		if err := json.Unmarshal(line, &want); err != nil {
			t.Fatal(err)
		}
		err = decode(bytes.NewReader(append(line, '\n')), func(_ int, got Trial, err error) error {
			if err == nil && !reflect.DeepEqual(got, want) {
				err = fmt.Errorf("got %+v, want %+v", got, want)
			}
			return err
		})
		if err != nil {
			t.Errorf("%s: %v", line, err)
		}
	})
}
