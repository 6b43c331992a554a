package journal

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What no lab has written is named, with its file, before anything relies on it.
func TestRunsOfNoLab(t *testing.T) {
	const right = `{"id":"x","scenario":"s","trials":9,"cells":[{"index":0},{"index":1}],"commands":[{},{}],"kernels":[{}]}`
	for _, c := range []struct{ old, new, want string }{
		{`"x"`, `"../x"`, `got "../x"`},
		{`"s"`, `"x/../../../esc"`, `got "x/../../../esc"`},
		{`"s"`, `".."`, `got ".."`},
		{`"trials":9`, `"trials":-1`, "trials: want 0 to "},
		{`"trials":9`, `"trials":4611686018427387905`, "trials: want 0 to "}, // twice that is 2
		{`{"index":1}`, `{"index":7}`, "want index 1, got 7"},
		{`"kernels":[{}]`, `"kernels":[]`, "kernels: "},
		{`[{},{}]`, `[{}]`, "commands: want one for each of 2 cells, got 1"},
		{`"trials":9`, `"trials":9,"shard":{"index":4,"of":3}`, "shard: "},
		{`"trials":9`, `"trials":9,"shift":63`, "shift: "},
	} {
		dir := t.TempDir()
		file := filepath.Join(dir, runFile)
		for text, want := range map[string]string{right: "", strings.Replace(right, c.old, c.new, 1): c.want} {
			if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
			_, err := ReadRun(dir)
			if want == "" && err != nil || want != "" && (err == nil || !strings.HasPrefix(err.Error(), file+": ") || !strings.Contains(err.Error(), want)) {
				t.Errorf("%s: got %v, want %q", text, err, want)
			}
		}
	}
}
