package cli

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ghostlab/initramfs"
	"ghostlab/lab/labtest"
)

// hostileRun makes a folder with one run, of which somebody else has chosen the
// program, the images and the kernels, and where the evidence of code that ran would be.
func hostileRun(t *testing.T, change func(run map[string]any, evidence string)) (runs, evidence string) {
	t.Helper()
	runs, evidence = t.TempDir(), filepath.Join(t.TempDir(), "executed")
	dir := filepath.Join(runs, "h")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	module := t.TempDir()
	if err := os.WriteFile(filepath.Join(module, "go.mod"), []byte("module h\n\ngo 1.21\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(module, "main.go"), []byte("package main\n\nimport \"C\"\n\nfunc main() {}\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	init, err := initramfs.Sum(t.Context(), labtest.Store(t))
	if err != nil {
		t.Fatal(err)
	}
	run := map[string]any{
		"id": "h", "scenario": "h", "trials": 2, "seed": 1, "timeout": 1e9, "engine": "deterministic", "isolation": "fork",
		"cells": []any{map[string]any{"index": 0, "axes": map[string]any{}}}, "commands": []any{map[string]any{"argv": []string{"/repro"}, "env": []string{}}},
		"kernels": []any{map[string]any{"asked": "5.15", "ran": "6.1"}}, "go": labtest.Go, "guest": map[string]any{"cpu": "cortex-a57", "vcpus": 1, "memory_mib": 512},
		"images": map[string]any{"5.15 go" + labtest.Go: map[string]any{"init_sha256": init}}, "own": map[string]any{"dir": module, "package": ".", "import_path": "h"}, "matrix": "",
	}
	change(run, evidence)
	text, err := json.Marshal(run)
	if err != nil {
		t.Fatal(err)
	}
	trial := `{"trial":1,"cell":0,"outcome":"crash","title":"x","exit":2,"digest":"00","vm":1,"position":1,"schedule":{"seed":1,"vcpus":1,"shift":3}}` + "\n"
	for name, content := range map[string]string{"run.json": string(text), "trials.jsonl": trial} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return runs, evidence
}

// openers are the commands that open a past run.
var openers = [][]string{
	{"run", "--resume", "h"}, {"run", "--resume", "h", "--dry-run"}, {"replay", "h/1"}, {"replay", "h/1", "--gdb-script", "trust_test.go", "--batch"}, {"explain", "h/1"},
	{"inspect", "h/1"}, {"dump", "h/1", "-o", os.DevNull}, {"replay", "h/1", "--record"}, {"show", "h"}, {"report", "h", "--format", "markdown"},
}

// Nothing that a run from elsewhere names is executed, whatever is done with it.
func TestRunsFromElsewhereExecuteNothing(t *testing.T) {
	own := func(key, value string) func(map[string]any, string) {
		return func(run map[string]any, evidence string) {
			run["own"].(map[string]any)[key] = strings.ReplaceAll(value, "EVIDENCE", evidence)
		}
	}
	kernel := func(run map[string]any, _ string) {
		run["images"] = map[string]any{"5.15 go" + labtest.Go: map[string]any{"artefacts": map[string]any{"kernel": "../../../elsewhere"}}}
	}
	for _, c := range []struct {
		what   string
		change func(map[string]any, string)
		want   string // of commands that would use it, without the user's word
		never  string // of those with it; empty where they may go on
	}{
		{"a C compiler", own("cc", "sh -c 'touch EVIDENCE'"), "was not made by a lab of yours", ""},
		{"a package that is a flag", own("package", "-toolexec=sh -c 'touch EVIDENCE'"), "own: want the name of a package", "own: want the name of a package"},
		{"tags that are a flag", own("tags", "-toolexec=sh -c 'touch EVIDENCE'"), "own: want the name of a package and build tags", "own: want the name of a package and build tags"},
		{"a kernel outside the cache", kernel, `want kernels/ and a key, got "../../../elsewhere"`, `want kernels/ and a key`},
		{"a kernel tree", func(run map[string]any, _ string) {
			tree := run["own"].(map[string]any)["dir"]
			run["own"] = nil
			run["kernels"] = []any{map[string]any{"asked": "5.15", "tree": tree, "tree_digest": "00"}}
			run["scenario"] = "ghost-map"
		}, "was not made by a lab of yours", "has changed since the run: 00 -> "},
		{"a matrix that never ends", func(run map[string]any, _ string) { run["matrix"] = "/dev/zero" }, "was not made by a lab of yours", ""},
		{"a toolchain", func(run map[string]any, _ string) { run["go"] = "1.21.6/../x" }, "go: want a Go release", "go: want a Go release"},
		{"options of QEMU", func(run map[string]any, _ string) { run["guest"].(map[string]any)["cpu"] = "max,x=on -plugin x" }, "cpu: want a CPU model", "cpu: want a CPU model"},
	} {
		t.Run(c.what, func(t *testing.T) {
			runs, evidence := hostileRun(t, c.change)
			for _, args := range openers {
				_, _, stderr := lab(t, append(args, "--runs", runs, "--scenarios", "../../scenarios")...)
				if strings.Contains(args[0], "show") || strings.Contains(args[0], "report") {
					continue // need nothing that the run names
				}
				if !strings.Contains(stderr, c.want) {
					t.Errorf("%v: got %s, want %q", args, stderr, c.want)
				}
			}
			if c.never != "" {
				if code, _, stderr := lab(t, "run", "--resume", "h", "--trust", "--runs", runs, "--scenarios", "../../scenarios"); code == exitOK || !strings.Contains(stderr, c.never) {
					t.Errorf("with --trust: exit %d, %s, want %q", code, stderr, c.never)
				}
			}
			if _, err := os.Stat(evidence); err == nil {
				t.Error("it was executed")
			}
		})
	}
}

// Also with the user's word a program is compiled by this host's compiler, not by what
// the run calls one.
func TestTrustedRunsUseThisHostsCompiler(t *testing.T) {
	runs, evidence := hostileRun(t, func(run map[string]any, evidence string) {
		run["own"].(map[string]any)["cc"] = fmt.Sprintf("sh -c 'touch %s'", evidence)
	})
	// The compiler's name shows that it is the setting's.
	_, _, stderr := lab(t, "run", "--resume", "h", "--trust", "--runs", runs, "--cross-compile", "none-such-")
	if !strings.Contains(stderr, "none-such-gcc") {
		t.Errorf("got %s", stderr)
	}
	if _, err := os.Stat(evidence); err == nil {
		t.Error("what the run calls a compiler was executed")
	}
}

// A run with more trials than anyone types is not gone on with unasked.
func TestResumeOfAHugeRunAsks(t *testing.T) {
	runs, _ := hostileRun(t, func(run map[string]any, _ string) { run["trials"] = 1 << 30 })
	code, _, stderr := lab(t, "run", "--resume", "h", "--trust", "--runs", runs)
	if code != exitUsage || !strings.Contains(stderr, "the matrix has 1073741823 trials") || !strings.Contains(stderr, "--yes") {
		t.Errorf("exit %d, %s", code, stderr)
	}
}
