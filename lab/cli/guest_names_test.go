package cli

import (
	"encoding/json"
	"os"
	osexec "os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gofrs/flock"

	"ghostlab/lab/config"
	"ghostlab/lab/journal"
	"ghostlab/lab/matrix"
	"ghostlab/lab/vm"
)

// lives makes vm.Guests list a guest that is none, as a lab that runs does.
func lives(t *testing.T, tmp, name, run, folder, held string, trials ...int) {
	t.Helper()
	dir := filepath.Join(tmp, "ghostlab-"+name)
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	lock := flock.New(filepath.Join(dir, "lock"))
	if ok, err := lock.TryLock(); !ok || err != nil {
		t.Fatal(ok, err)
	}
	t.Cleanup(func() { lock.Unlock() })
	text, err := json.Marshal(vm.Live{About: vm.About{Run: run, Folder: folder}, Trials: trials, Held: held, Started: time.Now()})
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "guest.json"), text, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestNamesOfGuests(t *testing.T) {
	tmp := vm.FolderName(t.TempDir())
	t.Setenv("TMPDIR", tmp)
	runs, others := filepath.Join(tmp, "runs"), filepath.Join(tmp, "others")
	begun := func(dir, id string, at time.Time) string {
		f, err := journal.Create(dir, journal.Run{
			ID: id, Started: at, Trials: 20, Cells: []matrix.Cell{{}}, Kernels: []journal.Kernel{{Asked: "6.1"}}, Commands: []journal.Command{{}},
		})
		if err != nil {
			t.Fatal(err)
		}
		f.Close()
		return f.Dir()
	}
	now := time.Now()
	older := begun(runs, "older", now.Add(-time.Hour))
	newest := begun(runs, "newest", now)
	begun(others, "newest", now) // of the same second and name
	a := &app{cfg: &config.Config{Runs: runs}}
	if _, err := a.guest("1"); err == nil {
		t.Error("a guest where none is")
	}
	lives(t, tmp, "1001", "shell", "", "", 1)
	lives(t, tmp, "1002", "debug", "", "", 1)
	lives(t, tmp, "1003", "older", older, "", 1, 2, 3)
	lives(t, tmp, "1004", "newest", filepath.Join(others, "newest"), "", 2, 7)
	lives(t, tmp, "1005", "elsewhere", "/gone/elsewhere", "", 4)
	lives(t, tmp, "1006", "newest", newest, "it crashes", 2)
	t.Chdir(older)
	for name, want := range map[string]string{
		"1001": "1001", "shell/1": "1001", "debug/1": "1002", "shell/2": "", "shell": "",
		"1":       "", // of the newest run, which has no guest with it, and of no session
		"2":       "1006",
		"3":       "", // the older run's goes on
		"older/3": "1003", "newest/7": "", "newest/2": "1006",
		filepath.Join(others, "newest/7"): "1004", "../../others/newest/2": "1004",
		"./3": "1003", "trials/3": "1003", older + "/trials/3": "1003",
		"elsewhere/4": "1005", "elsewhere/5": "", "4": "", "": "1006",
		"1007": "", "x/1": "", "0": "", "-1": "",
	} {
		g, err := a.guest(name)
		if g.Name != want || (err == nil) != (want != "") {
			t.Errorf("%q is guest %q, want %q (%v)", name, g.Name, want, err)
		}
	}
	if _, err := (&app{cfg: &config.Config{Runs: others}}).guest("7"); err != nil {
		t.Errorf("the newest run elsewhere: %v", err)
	}
}

// A session's guest has a trial 1, too.
func TestNumbersAreNoSessions(t *testing.T) {
	program := binary(t)
	needGDB(t)
	runs := t.TempDir()
	cmd := osexec.Command(program, "debug", "ghost-map", "--no-gdb")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	defer cmd.Process.Signal(os.Interrupt)
	awaitGuest(t, cmd.Process.Pid)
	eventually(t, "lab ps lists it", func() bool { _, out, _ := lab(t, "ps"); return strings.Contains(out, "  debug  ") })
	for _, verb := range []string{"dump", "inspect", "attach"} {
		args := []string{verb, "1", "--runs", runs}
		if verb != "attach" {
			args = append(args, "-o", filepath.Join(t.TempDir(), "file"))
		}
		if code, out, stderr := lab(t, args...); code != exitUsage {
			t.Errorf("lab %s 1: exit code %d\n%s%s", verb, code, out, stderr)
		}
	}
	file := filepath.Join(t.TempDir(), "guest.elf")
	if code, _, stderr := lab(t, "dump", "debug/1", "-o", file, "--runs", runs); code != exitOK {
		t.Errorf("lab dump debug/1: exit code %d\n%s", code, stderr)
	}
}
