package cli

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// FuzzRunFolder does what a user does with a run's folder from elsewhere: whatever is in
// it, each command ends soon, with a sentence, and leaves the rest of the host alone.
func FuzzRunFolder(f *testing.F) {
	const run = `{"id":"r","scenario":"ghost-map","trials":2,"seed":1,"timeout":1000000000,"engine":"parallel","shift":3,"isolation":"fork",` +
		`"axes":[{"name":"gomaxprocs","values":["1","2"]}],"cells":[{"index":0,"axes":{"gomaxprocs":"1"}},{"index":1,"axes":{"gomaxprocs":"2"}}],` +
		`"commands":[{"argv":["/repro"],"env":["A=b"]},{"argv":["/repro"],"env":[]}],"kernels":[{"asked":"5.15","ran":"6.1","stand_in":true,"why":"x"}],` +
		`"expect":[{"where":[{"name":"gomaxprocs","values":["1"]}],"outcome":"crash","claim":{"Word":"never","Rate":0}}],"stop":{"width":0.1,"first":["crash"]},"collect":{"evidence":["console"],"passes":1,"failures":2},` +
		`"go":"1.21.6","qemu":"7.2","host":{"os":"linux","arch":"amd64","cpu":"x","cores":2},"guest":{"cpu":"cortex-a57","vcpus":2,"memory_mib":512,"accelerator":"tcg"},"images":{},"sessions":[{"first_vm":1,"verified":true}],` +
		`"verification":{"checked":1,"identical":1},"stopped":[{"cell":1,"trials":2,"crashes":2,"why":"first crash"}],"shard":{"index":1,"of":2}}`
	const trials = `{"trial":1,"cell":0,"outcome":"pass","exit":0,"duration":1000,"schedule":{"seed":1,"vcpus":2,"shift":-1},"vm":1,"position":1,"ended":"2026-11-24T02:08:41Z"}` + "\n" +
		`{"trial":2,"cell":1,"outcome":"crash","title":"fatal error: x in main.y","exit":2,"digest":"ab","schedule":{"seed":2,"vcpus":1,"shift":3},"vm":2,"position":1,"ended":"2026-11-24T02:08:42Z"}` + "\n" +
		`{"trial":3,"cell":0,"outcome":"infra","error":"qemu ended","vm":3,"position":1}` + "\n"
	const matrix = "scenario: ghost-map\ntrials: 2\naxes: {gomaxprocs: [1, 2]}\n"
	f.Add([]byte(run), []byte(trials), []byte(matrix), []byte("fatal error: x\n\ngoroutine 1 [running]:\nmain.y()\n"), []byte(`{"trial":"r/2","signature":"x","words":[{}]}`))
	f.Add([]byte(strings.Replace(run, `"engine":"parallel"`, `"search":"hunt","hunts":[[{"vcpus":1,"shift":3,"trials":1}],[]],"found":[{"trial":2,"title":"x"}],"engine":"deterministic"`, 1)), []byte(trials), []byte(""), []byte(""), []byte(""))
	f.Add([]byte(strings.Replace(run, `"shard":{"index":1,"of":2}`, `"own":{"dir":"/none","package":".","import_path":"x/y","tests":true,"args":["-test.run=X"],"cc":"cc"}`, 1)), []byte(trials), []byte(matrix), []byte("x"), []byte("{}"))
	f.Fuzz(func(t *testing.T, run, trials, matrix, console, explanation []byte) {
		host := t.TempDir()
		runs, dir := filepath.Join(host, "runs"), filepath.Join(host, "runs", "r")
		for name, content := range map[string][]byte{
			"run.json": run, "trials.jsonl": trials, "matrix.yaml": matrix, "trials/2/console.log": console, "trials/2/explain.json": explanation,
		} {
			path := filepath.Join(dir, name)
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, content, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		// What it names is followed by none of these but the last.
		for _, args := range [][]string{
			{"show", "r"}, {"show", "r", "--json"}, {"report", "r", "--format", "html,markdown,junit,json,terminal", "-o", filepath.Join(host, "reports")},
			{"report"}, {"merge", "r"}, {"run", "--resume", "r", "--dry-run"}, {"run", "--resume", "r", "--dry-run", "--trust"},
		} {
			if last := args[len(args)-1]; last == "--trust" && bytes.Contains(run, []byte(`"matrix"`)) {
				continue // then it reads any file of this host, as it was told
			}
			begun := time.Now()
			code, _, stderr := lab(t, append(args, "--runs", runs, "--scenarios", "../../scenarios")...)
			if took := time.Since(begun); took > 20*time.Second {
				t.Errorf("%v took %v", args, took)
			}
			if code != exitOK && code != exitDiffers && !strings.Contains(stderr, "lab: ") {
				t.Errorf("%v: exit %d, %q", args, code, stderr)
			}
		}
		entries, err := os.ReadDir(host)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			if e.Name() != "runs" && e.Name() != "reports" {
				t.Errorf("left %s", e.Name())
			}
		}
	})
}
