package cli

import (
	"fmt"
	"os"
	osexec "os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// Whatever a session is for, nobody but its user on this host reaches its guest, and a
// lab that is killed leaves nothing behind: no QEMU, and after the next lab no folder.
func TestSessionsAreLocalAndLeaveNothing(t *testing.T) {
	program := binary(t)
	runs := t.TempDir()
	for _, c := range []struct{ args, stdin string }{
		{"debug ghost-map --no-gdb", ""},
		{"debug ghost-map --dlv", ""},
		{"shell", "sleep 1000"},
		{"run ../../scenarios/ghost-map/matrix.yaml -n 20 --hold-on crash --only gomaxprocs=2 --runs " + runs, ""},
	} {
		t.Run(strings.Fields(c.args)[0], func(t *testing.T) {
			tmp := t.TempDir()
			cmd := osexec.Command(program, strings.Fields(c.args)...)
			cmd.Env = append(os.Environ(), "TMPDIR="+tmp)
			cmd.Stdin = strings.NewReader(c.stdin)
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			defer cmd.Wait()
			defer cmd.Process.Kill()
			qemu, folder := awaitGuest(t, cmd.Process.Pid)
			checkListening(t, cmd.Process.Pid, qemu, strings.Contains(c.args, "--dlv"))

			cmd.Process.Kill()
			cmd.Wait()
			eventually(t, "QEMU ends with lab", func() bool { return !alive(qemu) })
			t.Setenv("TMPDIR", tmp)
			if code, _, stderr := lab(t, "ps"); code != exitOK {
				t.Fatalf("lab ps: exit code %d\n%s", code, stderr)
			}
			left, _ := filepath.Glob(filepath.Join(tmp, "*"))
			if _, err := os.Stat(folder); err == nil {
				left = append(left, folder)
			}
			if len(left) > 0 {
				t.Errorf("left after the next lab: %q", left)
			}
		})
	}
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(2 * time.Minute); !ok(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within two minutes: %s", what)
		}
	}
}

// awaitGuest returns the QEMU of a lab, and the folder of its sockets.
func awaitGuest(t *testing.T, lab int) (qemu int, folder string) {
	t.Helper()
	socket := regexp.MustCompile(`-gdb\x00unix:(\S+?)/gdb`)
	eventually(t, "a guest runs", func() bool {
		for _, pid := range guestsOf(lab) {
			argv, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
			if m := socket.FindSubmatch(argv); m != nil {
				qemu, folder = pid, string(m[1])
				return true
			}
		}
		return false
	})
	return qemu, folder
}

// checkListening looks at the ports of a lab and of its QEMU, of which there is one where
// forwards says so.
func checkListening(t *testing.T, lab, qemu int, forwards bool) {
	t.Helper()
	of := regexp.MustCompile(fmt.Sprintf(`pid=(%d|%d),`, lab, qemu))
	var ports []string
	look := func() bool {
		out, err := osexec.Command("ss", "-Hltunp").Output()
		if err != nil {
			t.Fatal(err)
		}
		ports = nil
		for line := range strings.Lines(string(out)) {
			if of.MatchString(line) {
				ports = append(ports, strings.Fields(line)[4])
			}
		}
		return len(ports) > 0
	}
	if forwards {
		eventually(t, "the guest's port is forwarded", look)
	} else if look() {
		t.Errorf("it listens on %q", ports)
	}
	for _, p := range ports {
		if !strings.HasPrefix(p, "127.0.0.1:") {
			t.Errorf("it listens on %s", p)
		}
	}
}
