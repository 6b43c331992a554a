package cli

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	osexec "os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/go-delve/delve/service/api"
	"github.com/go-delve/delve/service/rpc2"
	"golang.org/x/term"

	"ghostlab/gdb"
	"ghostlab/lab/labtest"
)

// needGDB skips a test where no gdb for arm64 is installed; `make test` installs
// it.
func needGDB(t *testing.T) {
	t.Helper()
	if _, err := gdb.Find(); err != nil {
		t.Skip(err)
	}
}

// One gdb stops in the Go program and in the kernel, reads arguments in both and
// follows the stack from one to the other.
func TestDebugWithARealGdb(t *testing.T) {
	lab := binary(t)
	needGDB(t)
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	cmd := osexec.CommandContext(ctx, lab, "debug", "ghost-map", "--no-gdb", "--break", "runtime.mapassign_fast64")
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	defer cmd.Process.Signal(os.Interrupt)
	buf := make([]byte, 4096)
	n, err := stdout.Read(buf)
	if err != nil {
		t.Fatal(err)
	}
	line, _, _ := strings.Cut(string(buf[:n]), "\n")
	script := filepath.Join(t.TempDir(), "test.gdb")
	// It does not end with kill: QEMU can be gone before gdb has its answer.
	os.WriteFile(script, []byte(`set pagination off
continue
backtrace
info args
list
list main.run
info goroutines
goroutine 2 backtrace
in-kernel lx-ps
delete
hbreak handle_mm_fault if $_streq($lx_current().comm, "repro") && address >= 0x4000000000
continue
info args
backtrace
list vfs_write
lx-version
lx-dmesg
disconnect
`), 0o600)
	out, err := osexec.CommandContext(ctx, "sh", "-c", line+" -batch -x "+script).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", line, err, out)
	}
	for _, want := range []string{
		`in main\.run\.func2 \(\)`, `(?m)^key = \d`, `func mapassign_fast64\(`, `func run\(`, // the program: stack, arguments, sources
		`\* +\d+ running`, `(?s)runtime\.gopark .* runtime\.forcegchelper \(\)`, `(?m)\s1 +init$`, // goroutines, the kernel's processes
		`(?m)^address = \d`, `handle_mm_fault \(vma=`, `ssize_t vfs_write\(`, `Linux version`, `Booting Linux`, // the kernel: arguments, source, lx- commands
		`(?s)in el0_da .*<signal handler called>.* (runtime|main)\..*in runtime\.goexit`, // across
	} {
		if !regexp.MustCompile(want).Match(out) {
			t.Errorf("gdb did not print %q", want)
		}
	}
	// A program from the cache can be older than the files of a fresh checkout.
	if bytes.Contains(bytes.ReplaceAll(out, []byte("warning: Source file is more recent"), nil), []byte("warning: ")) {
		t.Error("gdb warned of something")
	}
	if t.Failed() {
		t.Logf("%s\n%s", line, out)
	}
}

// On a terminal gdb has the keys, and gives back the terminal and the host.
func TestDebugOnATerminal(t *testing.T) {
	program := binary(t)
	needGDB(t)
	screen := labtest.NewScreen(t, 160, 40)
	before, err := term.GetState(int(screen.TTY.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	tmp := t.TempDir()
	cmd := osexec.Command(program, "debug", ".", "--break", "main.main")
	cmd.Dir, cmd.Env = "testdata/spin", append(os.Environ(), "TERM=xterm", "TMPDIR="+tmp)
	screen.Start(t, cmd)
	defer cmd.Process.Kill()
	sees := func(what string) {
		t.Helper()
		screen.Await(t, what, func(text string) bool { return strings.Contains(text, what) })
	}
	sees("(gdb)")
	screen.Type(t, "continue\n")
	sees("Breakpoint 1, main.main")
	screen.Type(t, "delete 1\n")
	screen.Type(t, "continue\n")
	screen.Await(t, "a second continue", func(text string) bool { return strings.Count(text, "Continuing.") == 2 })
	screen.Type(t, "\x03")
	sees("received signal SIGINT")
	screen.Type(t, "quit\n")
	sees("anyway?")
	screen.Type(t, "y\n")
	if err := cmd.Wait(); err != nil {
		t.Errorf("lab debug: %v", err)
	}
	if after, err := term.GetState(int(screen.TTY.Fd())); err != nil || *after != *before {
		t.Errorf("the terminal's settings were not restored (%v)", err)
	}
	if left, err := os.ReadDir(tmp); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v (%v)", left, err)
	}
}

func TestDebugRefusesBadInput(t *testing.T) {
	labtest.Kernel(t)
	for _, c := range []struct{ args, want, hint string }{
		{"ghost-map --break mapassign_fast64", `no function "mapassign_fast64"`, `did you mean "runtime.mapassign_fast64"?`},
		{"ghost-map --break handle_mm_falt", `no function "handle_mm_falt"`, `did you mean "handle_mm_fault"?`},
		{"ghost-map --engine fast", `--engine: want deterministic or parallel, got "fast"`, ""},
		{"ghost-map -- -x", "a scenario takes parameters, not arguments", "--set"},
		{"./nowhere", "./nowhere", ""},
		{". --set a=1", "--set: . is a package", "after --"},
	} {
		code, _, stderr := lab(t, append([]string{"debug"}, strings.Fields(c.args)...)...)
		if code != exitUsage || !strings.Contains(stderr, c.want) || !strings.Contains(stderr, c.hint) {
			t.Errorf("lab debug %s: exit code %d\n%s", c.args, code, stderr)
		}
	}
}

// Delve's own client and an editor talk to Delves in guests, in two sessions at once.
func TestDelve(t *testing.T) {
	program := binary(t)
	var ports []string
	var entry []byte
	for range 2 {
		cmd := osexec.Command(program, "debug", "ghost-map", "--dlv")
		stdout, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			cmd.Process.Signal(os.Interrupt)
			if cmd.Wait(); cmd.ProcessState.ExitCode() != exitInterrupted {
				t.Errorf("after Ctrl-C: exit code %d", cmd.ProcessState.ExitCode())
			}
		})
		out := bufio.NewReader(stdout)
		line, err := out.ReadString('\n')
		words := strings.Fields(line)
		if err != nil || len(words) < 3 || words[0] != "dlv" || words[1] != "connect" {
			t.Fatalf("got %q (%v), want dlv connect", line, err)
		}
		var raw json.RawMessage
		dec := json.NewDecoder(out)
		if err := dec.Decode(&raw); err != nil {
			t.Fatal(err)
		}
		go io.Copy(io.Discard, stdout)
		ports, entry = append(ports, words[2]), raw
	}
	if ports[0] == ports[1] {
		t.Errorf("both sessions have %s", ports[0])
	}
	delveStops(t, ports[0])
	checkFiles(t, editorStops(t, entry, "runtime.mapassign_fast64"), "/src/runtime/map_fast64.go", "/scenarios/ghost-map/repro/main.go")
}

// delveStops stops by Delve's own client in the map's assignment, and lists the goroutines.
func delveStops(t *testing.T, address string) {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	client := rpc2.NewClientFromConn(conn)
	if _, err := client.CreateBreakpoint(&api.Breakpoint{FunctionName: "runtime.mapassign_fast64", Line: -1}); err != nil {
		t.Fatal(err)
	}
	if state := <-client.Continue(); state.Err != nil || state.CurrentThread.Function.Name() != "runtime.mapassign_fast64" {
		t.Fatalf("stopped in %q (%v)", state.CurrentThread.Function.Name(), state.Err)
	}
	all, _, err := client.ListGoroutines(0, 0)
	if err != nil {
		t.Fatal(err)
	}
	writers := slices.IndexFunc(all, func(g *api.Goroutine) bool {
		return strings.HasPrefix(g.UserCurrentLoc.Function.Name(), "main.")
	})
	if len(all) < 3 || writers < 0 {
		t.Errorf("goroutines: %v", all)
	}
}

// gdb attaches to the guest of a running trial, which goes on when gdb leaves.
func TestPsAndAttach(t *testing.T) {
	program := binary(t)
	needGDB(t)
	runs := t.TempDir()
	// A name that no other guest of this host has.
	name := fmt.Sprintf("spin-%d", os.Getpid())
	dir := filepath.Join(t.TempDir(), name)
	if err := os.CopyFS(dir, os.DirFS("testdata/spin")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "go.mod"), []byte("module "+name+"\n\ngo 1.21\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	run := osexec.Command(program, "try", ".", "-n", "1", "--timeout", "5m", "--runs", runs)
	run.Dir = dir
	run.Stderr = t.Output()
	if err := run.Start(); err != nil {
		t.Fatal(err)
	}
	defer run.Wait()
	defer run.Process.Signal(os.Interrupt)
	type guest struct {
		Name, Run string
		Trials    []int
		PID       int
	}
	var guests []guest
	for end := time.Now().Add(time.Minute); ; time.Sleep(100 * time.Millisecond) {
		code, out, stderr := lab(t, "ps", "--json")
		if code != exitOK {
			t.Fatalf("lab ps: %d\n%s", code, stderr)
		}
		if err := json.Unmarshal([]byte(out), &guests); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		guests = slices.DeleteFunc(guests, func(g guest) bool { return !strings.HasSuffix(g.Run, "-"+name) })
		if len(guests) > 0 {
			break
		}
		if time.Now().After(end) {
			t.Fatal("no guest within a minute")
		}
	}
	g := guests[0]
	if len(g.Trials) != 1 || g.Trials[0] != 1 {
		t.Errorf("the guest has trials %v", g.Trials)
	}
	for end := time.Now().Add(time.Minute); ; time.Sleep(time.Second) {
		attach := osexec.Command(program, "attach", g.Run+"/1")
		attach.Stdin = strings.NewReader("set pagination off\nthread apply all backtrace\ndetach\nquit\n")
		out, err := attach.CombinedOutput()
		if err == nil && regexp.MustCompile(`main\.main \(\) at .*main\.go`).Match(out) {
			break
		}
		if err != nil || time.Now().After(end) { // its program may not run yet
			t.Fatalf("%v\n%s", err, out)
		}
	}
	// Where an interrupt has just been taken, too: #1 is the interrupted function, or the
	// one before it where that stood at its first instruction, as this does. The program
	// lies lower than init.
	atVector := func() ([]byte, error) {
		at := osexec.Command(program, "attach", g.Run+"/1")
		at.Stdin = strings.NewReader("set pagination off\nset language c\n" +
			"thbreak *((char *) &vectors + 0x480) if $ELR_EL1 < 0x1000000\ncontinue\nbacktrace\ndetach\nquit\n")
		return at.CombinedOutput()
	}
	out, err := atVector()
	for range 5 { // an interrupt of the runtime's signal handler, whose stack ends there, is not meant
		if err != nil || !bytes.Contains(out, []byte("runtime.sigtramp")) {
			break
		}
		out, err = atVector()
	}
	if err != nil || !regexp.MustCompile(`#0 +vectors \(\).*\n#1 (.|\n)*#2 .*runtime\.main \(\)`).Match(out) {
		t.Errorf("at an interrupt's vector: %v\n%s", err, out)
	}
	file := filepath.Join(t.TempDir(), "guest.kdump")
	if code, _, stderr := lab(t, "dump", g.Name, "--format", "kdump", "-o", file); code != exitOK {
		t.Errorf("lab dump after gdb: exit code %d\n%s", code, stderr)
	}
	if err := syscall.Kill(g.PID, 0); err != nil {
		t.Errorf("the guest after gdb: %v", err)
	}
	for name, want := range map[string]string{"nobody": `no guest "nobody" runs`, g.Run + "/2": "/2\" runs"} {
		if code, _, stderr := lab(t, "attach", name); code != exitUsage || !strings.Contains(stderr, want) || !strings.Contains(stderr, "lab ps") {
			t.Errorf("attach %s: exit code %d\n%s", name, code, stderr)
		}
	}
}

func TestWithoutAGdb(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	code, _, stderr := lab(t, "debug", "ghost-map")
	if code != exitInfra || !strings.Contains(stderr, "no gdb for arm64 was found") || !strings.Contains(stderr, "lab doctor") {
		t.Errorf("exit code %d\n%s", code, stderr)
	}
}
