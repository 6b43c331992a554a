package crash

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files")

// golden is testdata/<cause>.<variant>.json; the program's output is beside it
// in a .txt.
type golden struct {
	Exit   int    `json:"exit"`
	Signal int    `json:"signal"`
	Report Report `json:"report"`
}

// TestCorpus classifies the output of real programs. Files that differ in their
// variant only are crashes of one cause: they have one title, and no other
// cause has it.
func TestCorpus(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no corpus: %v", err)
	}
	titles, causes := map[string]string{}, map[string]string{}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".txt")
		cause, _, _ := strings.Cut(name, ".")
		got := classifyFile(t, file)
		if title, ok := titles[cause]; ok && got != title {
			t.Errorf("%s: %q, but another crash of this cause is %q", name, got, title)
		}
		if other, ok := causes[got]; ok && other != cause {
			t.Errorf("%s and %s are both %q", name, other, got)
		}
		titles[cause], causes[got] = got, cause
	}
}

func classifyFile(t *testing.T, file string) (title string) {
	t.Helper()
	out, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	beside := strings.TrimSuffix(file, ".txt") + ".json"
	text, err := os.ReadFile(beside)
	if err != nil {
		t.Fatal(err)
	}
	var want golden
	if err := json.Unmarshal(text, &want); err != nil {
		t.Fatalf("%s: %v", beside, err)
	}
	got := golden{want.Exit, want.Signal, Classify(Evidence{Exit: want.Exit, Signal: want.Signal, Output: out})}
	now, err := json.MarshalIndent(got, "", "\t")
	if err != nil {
		t.Fatal(err)
	}
	now = append(now, '\n')
	if *update {
		if err := os.WriteFile(beside, now, 0o644); err != nil {
			t.Fatal(err)
		}
	} else if string(now) != string(text) {
		t.Errorf("%s: got\n%s", beside, now)
	}
	return got.Report.Title
}
