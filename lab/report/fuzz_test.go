package report

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
)

// A run of somebody else's is refused or shown, whatever it says.
func FuzzRun(f *testing.F) {
	for _, run := range []string{"mixed", "nothing-ran"} {
		text, err := os.ReadFile(filepath.Join("testdata", run, "run.json"))
		trials, err2 := os.ReadFile(filepath.Join("testdata", run, "trials.jsonl"))
		if err := errors.Join(err, err2); err != nil {
			f.Fatal(err)
		}
		f.Add(text, trials)
	}
	for _, text := range []string{
		`{"trials":9,"cells":[{"index":7}],"commands":[{}],"kernels":[{}],"expect":[{"outcome":"crash","claim":"never"}]}`,
		`{"trials":9,"cells":[{}],"commands":[{}],"kernels":[]}`,
		`{"trials":9,"cells":[{}],"commands":[{}],"kernels":[{}],"axes":[{"name":"x"}],"stopped":[{"cell":-1}],"hunts":[[{"Spent":-1}]],"search":"hunt"}`,
		`{"trials":2,"cells":[{},{"index":1}],"commands":[{},{}],"kernels":[{}],"axes":[{"name":"x","values":["1","2"]}],"shard":{"index":-1}}`,
	} {
		f.Add([]byte(text), []byte(`{"trial":1,"cell":0,"outcome":"crash","title":"x","vm":4000000000000}`+"\n"))
	}
	f.Fuzz(func(t *testing.T, text, trials []byte) {
		dir := t.TempDir()
		if err := errors.Join(os.WriteFile(filepath.Join(dir, "run.json"), text, 0o644), os.WriteFile(filepath.Join(dir, "trials.jsonl"), trials, 0o644)); err != nil {
			t.Fatal(err)
		}
		s, err := Read(dir)
		if err != nil {
			return
		}
		for _, form := range Formats {
			if err := form.Write(s, io.Discard); err != nil {
				t.Errorf("%s: %v", form.Name, err)
			}
		}
	})
}
