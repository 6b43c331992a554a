package cli

import (
	"errors"
	"os"
	osexec "os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"ghostlab/lab/journal"
	"ghostlab/lab/labtest"
)

// recordedRun makes a run with a trial of one vCPU and one of two.
func recordedRun(t *testing.T) (runs, run string, one, two int) {
	t.Helper()
	labtest.Kernel(t)
	runs = t.TempDir()
	file := filepath.Join(runs, "matrix.yaml")
	matrix := "scenario: ghost-map\ntrials: 1\nseed: 1\nengine: deterministic\nisolation: fork\nshift: 6\n" +
		"axes:\n  key_space: [growing]\n  vcpus: [1, 2]\n"
	if err := os.WriteFile(file, []byte(matrix), 0o644); err != nil {
		t.Fatal(err)
	}
	if code, _, stderr := lab(t, "run", file, "--scenarios", "../../scenarios", "--runs", runs); code != exitOK {
		t.Fatalf("exit code %d\n%s", code, stderr)
	}
	run, err := journal.Find(runs, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = journal.Open(run, func(tr journal.Trial) {
		if tr.Schedule.VCPUs == 1 {
			one = tr.N
		} else {
			two = tr.N
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return runs, run, one, two
}

func TestReplayRecord(t *testing.T) {
	runs, run, one, two := recordedRun(t)
	record := func(n int, more ...string) (int, string, string) {
		return lab(t, append([]string{"replay", strconv.Itoa(n), "--record", "--scenarios", "../../scenarios", "--runs", runs}, more...)...)
	}
	code, stdout, stderr := record(one)
	if code != exitOK || !strings.Contains(stdout, "\nidentical, recorded: "+journal.RecordLog(run, one)+", ") {
		t.Errorf("exit code %d\n%s%s", code, stdout, stderr)
	}
	if _, err := journal.ReadRecord(run, one); err != nil {
		t.Error(err)
	}
	if code, _, stderr := record(two); code != exitUsage || !strings.Contains(stderr, "ran with 2 vCPUs, and QEMU records guests of one only\nhint: ") {
		t.Errorf("two vCPUs: exit code %d\n%s", code, stderr)
	}
	for _, flags := range [][]string{{"--times", "2"}, {"--hunt"}} {
		if code, _, stderr := record(one, flags...); code != exitUsage || !strings.Contains(stderr, "want no "+flags[0]) {
			t.Errorf("%v: exit code %d\n%s", flags, code, stderr)
		}
	}
}

// A record that is there is whole, whenever lab is killed, and the next lab removes
// what the killed one needed for a while.
func TestKilledLabLeavesNoHalfRecord(t *testing.T) {
	program := binary(t)
	runs, run, one, _ := recordedRun(t)
	whole, left, tmp := 0, 0, t.TempDir()
	scratch := func() int {
		dirs, _ := filepath.Glob(filepath.Join(tmp, "*"))
		return len(dirs)
	}
	for delay := 50 * time.Millisecond; whole == 0; delay += 150 * time.Millisecond {
		cmd := osexec.CommandContext(t.Context(), program, "replay", strconv.Itoa(one), "--record", "--scenarios", "../../scenarios", "--runs", runs)
		cmd.Env = append(os.Environ(), "TMPDIR="+tmp)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(delay)
		guests := guestsOf(cmd.Process.Pid)
		cmd.Process.Signal(syscall.SIGKILL)
		cmd.Wait()
		left = max(left, scratch())
		var none *journal.NoRecordError
		switch _, err := journal.ReadRecord(run, one); {
		case err == nil:
			whole++
		case !errors.As(err, &none) || none.Why != "":
			t.Errorf("killed after %v: %v", delay, err)
		}
		for _, pid := range guests {
			for i := 0; alive(pid); i++ {
				if i == 100 {
					t.Fatalf("QEMU %d outlived lab", pid)
				}
				time.Sleep(20 * time.Millisecond)
			}
		}
		if delay > time.Minute {
			t.Fatal("no record within a minute")
		}
	}
	t.Setenv("TMPDIR", tmp)
	if code, _, stderr := lab(t, "replay", strconv.Itoa(one), "--scenarios", "../../scenarios", "--runs", runs); code != exitOK {
		t.Errorf("replay: exit code %d\n%s", code, stderr)
	}
	if now := scratch(); left == 0 || now > 0 {
		t.Errorf("killed labs left up to %d folders, and %d are there after the next", left, now)
	}
}
