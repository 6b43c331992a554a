package cli

import (
	"os"
	osexec "os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/term"

	"ghostlab/lab/labtest"
)

// prompt is the shell's.
const prompt = "$"

// shellOn starts lab shell on a terminal and waits for its prompt.
func shellOn(t *testing.T, args ...string) (*labtest.Screen, *osexec.Cmd, func(what string)) {
	t.Helper()
	program := binary(t)
	screen := labtest.NewScreen(t, 100, 40)
	before, err := term.GetState(int(screen.TTY.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	cmd := osexec.Command(program, append([]string{"shell"}, args...)...)
	cmd.Env = append(os.Environ(), "TERM=xterm")
	screen.Start(t, cmd)
	sees := func(what string) {
		t.Helper()
		screen.Await(t, what, func(text string) bool {
			lines := strings.Split(text, "\n")
			return strings.Contains(text, what) && lines[len(lines)-1] == prompt
		})
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		if after, err := term.GetState(int(screen.TTY.Fd())); err != nil || *after != *before {
			t.Errorf("the terminal's settings were not restored (%v)", err)
		}
	})
	sees(prompt)
	return screen, cmd, sees
}

func TestShell(t *testing.T) {
	share := t.TempDir()
	if err := os.WriteFile(filepath.Join(share, "in"), []byte("from the host\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	screen, cmd, sees := shellOn(t, "ghost-map", "--set", "gomaxprocs=1", "--share", share)
	for _, c := range []struct{ types, sees string }{
		{"ls /sys/kernel/debug/lab_fault", "buckets"},
		{"ls /sys/kernel/tracing/trace", "trace\n$"},
		{"cat /share/in", "from the host"},
		{"sleep 1000", ""},
		{"echo two && echo words", "two\nwords"},
		{"trial > /share/out; echo status $? of $GOMAXPROCS", "status 0 of 1"},
		{"stty | head -n 1", "100"},
	} {
		screen.Type(t, c.types+"\r")
		if c.sees == "" { // it would take too long
			screen.Await(t, c.types, func(text string) bool { return strings.HasSuffix(text, c.types) })
			screen.Type(t, "\x03")
			screen.Await(t, "Ctrl-C", func(text string) bool { return strings.HasSuffix(text, "^C"+prompt) })
			continue
		}
		sees(c.sees)
	}
	screen.Type(t, "\x04")
	if err := cmd.Wait(); err != nil {
		t.Errorf("lab shell: %v", err)
	}
	if out, err := os.ReadFile(filepath.Join(share, "out")); err != nil || len(out) == 0 {
		t.Errorf("the program wrote %q (%v)", out, err)
	}
}

// A signal ends the guest and gives back the terminal.
func TestShellEnds(t *testing.T) {
	_, cmd, _ := shellOn(t)
	cmd.Process.Signal(os.Interrupt)
	time.AfterFunc(time.Minute, func() { cmd.Process.Kill() })
	if cmd.Wait(); cmd.ProcessState.ExitCode() != exitInterrupted {
		t.Errorf("after a signal: exit code %d", cmd.ProcessState.ExitCode())
	}
}

func TestShellRunsAScript(t *testing.T) {
	cmd := osexec.CommandContext(t.Context(), binary(t), "shell")
	cmd.Stdin = strings.NewReader("ls /sys/kernel/debug/lab_fault/filter\nuname -m\n")
	out, err := cmd.Output()
	if want := "filter\naarch64\n"; err != nil || string(out) != want {
		t.Errorf("got %q (%v), want %q", out, err, want)
	}
}

func TestShellRefusesBadInput(t *testing.T) {
	for _, c := range []struct{ args, want string }{
		{"--share /nowhere", "--share: /nowhere is not a folder"},
		{"none/17", "no run in"},
		{"ghost-mop", `no scenario "ghost-mop"`},
	} {
		code, _, stderr := lab(t, append([]string{"shell"}, strings.Fields(c.args)...)...)
		if code != exitUsage || !strings.Contains(stderr, c.want) {
			t.Errorf("lab shell %s: exit code %d\n%s", c.args, code, stderr)
		}
	}
}
