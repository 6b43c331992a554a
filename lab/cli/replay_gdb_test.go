package cli

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	osexec "os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/term"

	"ghostlab/lab/journal"
	"ghostlab/lab/labtest"
)

// A guest that ends, or is killed, under gdb leaves gdb where it is, with the
// terminal and its own exit code.
func TestGdbOutlivesTheGuest(t *testing.T) {
	program := binary(t)
	needGDB(t)
	runs := t.TempDir()
	trials := crashes(t, runs, "scenario: ghost-map\ntrials: 2\nseed: 1\nengine: deterministic\nshift: 6\n"+
		"axes:\n  key_space: [growing]\n  vcpus: [1, 2]\n  go: [1.21.6]\n", 1)
	if len(trials) != 2 {
		t.Fatalf("%d of 2 cells crashed", len(trials))
	}
	run, err := journal.Find(runs, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, tr := range trials {
		t.Run(fmt.Sprintf("%d vCPUs", tr.Schedule.VCPUs), func(t *testing.T) {
			name := fmt.Sprintf("%s/%d", filepath.Base(run), tr.N)
			script := filepath.Join(t.TempDir(), "script.gdb")
			os.WriteFile(script, []byte("continue\necho looks around\\n\ninfo registers pc\nquit 7\n"), 0o600)
			batch := osexec.CommandContext(t.Context(), program, "replay", name, "--gdb-script", script, "--batch", "--scenarios", "../../scenarios", "--runs", runs)
			out, err := batch.CombinedOutput()
			var exit *osexec.ExitError
			if !errors.As(err, &exit) || exit.ExitCode() != 7 || !bytes.Contains(out, []byte("looks around\npc ")) {
				t.Errorf("gdb's script: %v\n%s", err, out)
			}

			screen := labtest.NewScreen(t, 160, 40)
			before, err := term.GetState(int(screen.TTY.Fd()))
			if err != nil {
				t.Fatal(err)
			}
			cmd := osexec.Command(program, "replay", name, "--gdb", "--scenarios", "../../scenarios", "--runs", runs)
			cmd.Env = append(os.Environ(), "TERM=xterm")
			screen.Start(t, cmd)
			defer cmd.Process.Kill()
			prompts := func(n int) {
				t.Helper()
				screen.Await(t, "prompt", func(text string) bool {
					return strings.Count(text, "(gdb)") == n && strings.HasSuffix(text, "(gdb)")
				})
			}
			prompts(1)
			screen.Type(t, "continue\n")
			prompts(2)
			screen.Type(t, "kill\n")
			screen.Await(t, "question", func(text string) bool { return strings.HasSuffix(text, "(y or n)") })
			screen.Type(t, "y\n")
			prompts(3)
			screen.Type(t, "info line main.main\n")
			prompts(4)
			screen.Type(t, "\x04")
			if err := cmd.Wait(); err != nil {
				t.Errorf("lab replay --gdb: %v", err)
			}
			if after, err := term.GetState(int(screen.TTY.Fd())); err != nil || *after != *before {
				t.Errorf("the terminal's settings were not restored (%v)", err)
			}
		})
	}
}
