package cli

import (
	"bytes"
	"debug/elf"
	"encoding/json"
	"fmt"
	"io"
	"os"
	osexec "os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"ghostlab/gdb/inspect"
	"ghostlab/lab/journal"
	"ghostlab/lab/runner"
)

// A failing trial's guest is held at its crash, where gdb and dumps see all of
// it, and ends as it would have when gdb leaves. A deterministic trial is held in
// another run of it.
func TestHoldOnCrash(t *testing.T) {
	program := binary(t)
	needGDB(t)
	for engine, more := range map[string][]string{
		"parallel":      {"--only", "gomaxprocs=2"},
		"deterministic": {"--set", "shift=6", "--set", "gomaxprocs=2", "--set", "key_space=growing", "--verify", "0"},
	} {
		t.Run(engine, func(t *testing.T) {
			runs := t.TempDir()
			args := append([]string{"run", "../../scenarios/ghost-map/matrix.yaml", "-n", "3", "--hold-on", "crash", "--runs", runs, "--engine", engine}, more...)
			run := osexec.Command(program, args...)
			if err := run.Start(); err != nil {
				t.Fatal(err)
			}
			ended := make(chan struct{})
			go func() {
				run.Wait()
				close(ended)
			}()
			defer func() {
				run.Process.Signal(os.Interrupt)
				<-ended
			}()
			guest := awaitHeld(t, "")
			if engine == "parallel" { // gdb's kill is no result: the trial is run again
				gdbOn(t, guest, "kill")
				guest = awaitHeld(t, guest)
			}

			code, text, words := lab(t, "inspect", guest, "--json")
			if code != exitOK {
				t.Fatalf("inspect: exit code %d\n%s", code, words)
			}
			checkCore(t, text)

			before := finished(t, runs)
			out := gdbOn(t, guest, "backtrace", "info goroutines", "detach")
			if !regexp.MustCompile(`(?s)do_group_exit.*<signal handler called>.*runtime\.exit.*\* +\d+ running`).Match(out) {
				t.Errorf("attach:\n%s", out)
			}
			// Deterministic trials are not kept waiting by one that is held: there may be none left.
			for end := time.Now().Add(time.Minute); finished(t, runs) == before; time.Sleep(50 * time.Millisecond) {
				select {
				case <-ended:
					return
				default:
				}
				if time.Now().After(end) {
					t.Fatal("the run does not go on")
				}
			}
		})
	}
}

// gdbOn has a gdb carry out commands on a guest.
func gdbOn(t *testing.T, guest string, commands ...string) []byte {
	t.Helper()
	attach := osexec.CommandContext(t.Context(), binary(t), "attach", guest)
	attach.Stdin = strings.NewReader("set pagination off\n" + strings.Join(commands, "\n") + "\nquit\n")
	out, err := attach.CombinedOutput()
	if err != nil {
		t.Errorf("attach: %v\n%s", err, out)
	}
	return out
}

// awaitHeld returns the name of the guest that is held, other than the last one.
func awaitHeld(t *testing.T, last string) string {
	t.Helper()
	line := regexp.MustCompile(`(?m)^(\d+) .* held: `)
	for end := time.Now().Add(time.Minute); ; time.Sleep(100 * time.Millisecond) {
		_, out, _ := lab(t, "ps")
		if m := line.FindStringSubmatch(out); m != nil && m[1] != last {
			return m[1]
		}
		if time.Now().After(end) {
			t.Fatalf("no guest is held within a minute:\n%s", out)
		}
	}
}

// checkDump looks for what the tools that open dumps need.
func checkDump(t *testing.T, file string) {
	t.Helper()
	f, err := elf.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if f.Type != elf.ET_CORE || f.Machine != elf.EM_AARCH64 {
		t.Errorf("a %v of %v", f.Type, f.Machine)
	}
	banner, image := false, false
	for _, p := range f.Progs {
		b, err := io.ReadAll(io.LimitReader(p.Open(), 64<<20))
		if err != nil {
			t.Fatal(err)
		}
		switch p.Type {
		case elf.PT_NOTE:
			for _, note := range []string{"CORE", "VMCOREINFO", "OSRELEASE=", "PAGESIZE=4096"} {
				if !bytes.Contains(b, []byte(note)) {
					t.Errorf("the notes lack %s", note)
				}
			}
		case elf.PT_LOAD:
			image = image || p.Vaddr>>48 == 0xffff && bytes.Contains(b, []byte("Linux version "))
			banner = banner || bytes.Contains(b, []byte("Linux version "))
		}
	}
	if !banner || !image {
		t.Errorf("linux_banner is in the memory: %v, at the kernel's own address: %v", banner, image)
	}
}

// drgnDump has drgn, where it is installed, read the dump: the kernel's release by
// way of its image, and the tasks by way of its page table.
func drgnDump(t *testing.T, file, words string) {
	t.Helper()
	drgn, err := osexec.LookPath("drgn")
	if err != nil {
		return
	}
	script := filepath.Join(t.TempDir(), "tasks.py")
	text := "from drgn.helpers.linux.pid import for_each_task\n" +
		"print(prog['init_uts_ns'].name.release.string_().decode(), [t.comm.string_().decode() for t in for_each_task(prog)])\n"
	if err := os.WriteFile(script, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	vmlinux := regexp.MustCompile(`\S+/vmlinux`).FindString(words)
	out, err := osexec.CommandContext(t.Context(), drgn, "-q", "-c", file, "-s", vmlinux, script).CombinedOutput()
	if err != nil || !regexp.MustCompile(`(?m)^\d+\.\d+\S* \[.*'init'.*'repro'`).Match(out) {
		t.Errorf("drgn: %v\n%s", err, out)
	}
}

// checkCore looks for the writers, and for the map's header in the one that met
// the other.
func checkCore(t *testing.T, text string) {
	t.Helper()
	var r inspect.Report
	if err := json.Unmarshal([]byte(text), &r); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	writers, header := 0, false
	for _, g := range r.Goroutines {
		for _, f := range g.Stack {
			if f.Func == "main.run.func1" {
				writers++
			}
			for _, a := range f.Args {
				header = header || g.Current && a.Type == "*runtime.hmap" && strings.Contains(a.Value, "count: ")
			}
		}
	}
	if writers == 0 || !header { // of one that was preempted Delve may not find the callers
		t.Errorf("%d writers, the map's header %v:\n%s", writers, header, text)
	}
}

// A core is kept with each failing trial where the matrix wants it.
func TestCoresAreKept(t *testing.T) {
	runs := t.TempDir()
	code, _, stderr := lab(t, "run", "../../scenarios/ghost-map/matrix.yaml", "-n", "3", "--only", "gomaxprocs=2",
		"--set", "collect=console,core", "--runs", runs)
	if code != exitOK && code != exitDiffers {
		t.Fatalf("exit code %d\n%s", code, stderr)
	}
	cores, err := filepath.Glob(filepath.Join(runs, "*", "trials", "*", runner.CoreFile))
	if err != nil || len(cores) == 0 {
		t.Fatalf("no core was kept (%v)\n%s", err, stderr)
	}
	trial := filepath.Dir(cores[0])
	code, text, stderr := lab(t, "inspect", filepath.Join(filepath.Base(filepath.Dir(filepath.Dir(trial))), filepath.Base(trial)), "--json", "--runs", runs)
	if code != exitOK {
		t.Fatalf("inspect: exit code %d\n%s", code, stderr)
	}
	checkCore(t, text)
}

// A deterministic trial needs nothing kept: it is run again to its crash, with
// whatever number of vCPUs, for cores, memory dumps and gdb.
func TestPastCrashes(t *testing.T) {
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
		name := fmt.Sprintf("%s/%d", filepath.Base(run), tr.N)
		file := filepath.Join(t.TempDir(), "repro.core")
		code, text, stderr := lab(t, "inspect", name, "--json", "-o", file, "--scenarios", "../../scenarios", "--runs", runs)
		if code != exitOK {
			t.Fatalf("trial %d: exit code %d\n%s", tr.N, code, stderr)
		}
		checkCore(t, text)
		if f, err := elf.Open(file); err != nil || f.Type != elf.ET_CORE {
			t.Errorf("the core of trial %d: %v", tr.N, err)
		} else {
			f.Close()
		}
		if tr.Schedule.VCPUs == 1 {
			continue
		}
		if code, _, stderr = lab(t, "dump", name, "-o", file, "--scenarios", "../../scenarios", "--runs", runs); code != exitOK {
			t.Fatalf("dump: exit code %d\n%s", code, stderr)
		}
		checkDump(t, file)
		drgnDump(t, file, stderr)

		script := filepath.Join(t.TempDir(), "script.gdb")
		os.WriteFile(script, []byte("backtrace\nreverse-stepi\n"), 0o600)
		replay := osexec.CommandContext(t.Context(), program, "replay", name, "--gdb-script", script, "--batch", "--scenarios", "../../scenarios", "--runs", runs)
		out, err := replay.CombinedOutput()
		for _, want := range []string{"with 2 vCPUs it does not go backwards", "do_group_exit", "runtime.fatal", "does not support this command"} {
			if !bytes.Contains(out, []byte(want)) {
				t.Errorf("gdb does not say %q (%v):\n%s", want, err, out)
			}
		}
	}
}

func TestHoldAndDumpRefuseBadInput(t *testing.T) {
	matrix := "../../scenarios/ghost-map/matrix.yaml"
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"run", matrix, "--hold-on", "pass"}, `--hold-on: want crash, got "pass"`},
		{[]string{"run", matrix, "--hold-on", "crash", "--holds", "0"}, "--holds: want at least 1, got 0"},
		{[]string{"dump", "none/7"}, "no run"},
		{[]string{"dump", "--format", "qcow"}, `--format: want elf or kdump, got "qcow"`},
		{[]string{"dump", "-o", "a b"}, "no path with a space"},
	} {
		if code, _, stderr := lab(t, c.args...); code != exitUsage || !strings.Contains(stderr, c.want) {
			t.Errorf("lab %q: exit code %d\n%s", c.args, code, stderr)
		}
	}
}
