package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	osexec "os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"ghostlab/lab/labtest"
	"ghostlab/lab/matrix"
	"ghostlab/scenarios"
)

func TestMain(m *testing.M) {
	testscript.Main(tests{m}, map[string]func(){"lab": func() {
		os.Exit(Main(context.Background(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
	}})
}

// tests removes what tests share.
type tests struct{ *testing.M }

func (t tests) Run() int {
	code := t.M.Run()
	os.RemoveAll(builtIn)
	return code
}

// builtIn is the folder of what built returns, empty before.
var builtIn string

// built is lab's binary, made once for all tests.
var built = sync.OnceValues(func() (string, error) {
	var err error
	if builtIn, err = os.MkdirTemp("", "lab-test-"); err != nil {
		return "", err
	}
	path := filepath.Join(builtIn, "lab")
	if out, err := osexec.Command("go", "build", "-o", path, "ghostlab/lab").CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w\n%s", err, out)
	}
	return path, nil
})

// Each script in testdata is a session on a terminal.
func TestScripts(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	// The scripts have a home of their own, but no need to fetch and compile Go
	// again.
	caches, err := osexec.Command("go", "env", "GOMODCACHE", "GOCACHE").Output()
	if err != nil {
		t.Fatal(err)
	}
	modules, built, _ := strings.Cut(strings.TrimSpace(string(caches)), "\n")
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Setup: func(env *testscript.Env) error {
			env.Setenv("ROOT", root)
			env.Setenv("LAB_CACHE", filepath.Join(env.WorkDir, "cache"))
			env.Setenv("HOME", env.WorkDir)
			env.Setenv("GOMODCACHE", modules)
			env.Setenv("GOCACHE", built)
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"exits": exits},
	})
}

// exits runs a command and compares its exit code: exits 2 lab run none.yaml.
func exits(ts *testscript.TestScript, _ bool, args []string) {
	err := ts.Exec(args[1], args[2:]...)
	code := 0
	if exit, ok := err.(*osexec.ExitError); ok {
		code = exit.ExitCode()
	} else if err != nil {
		ts.Fatalf("%v", err)
	}
	if got := fmt.Sprint(code); got != args[0] {
		ts.Fatalf("exit code %s, want %s", got, args[0])
	}
}

// The matrix that `lab run --help` shows is one.
func TestHelpsMatrix(t *testing.T) {
	code, help, _ := lab(t, "run", "--help")
	_, rest, found := strings.Cut(help, "\n\n  scenario:")
	text, _, _ := strings.Cut("  scenario:"+rest, "\n\n")
	if code != exitOK || !found {
		t.Fatalf("no matrix in\n%s", help)
	}
	m, err := matrix.Parse("help", []byte(text), matrix.Options{Find: scenarios.In("../../scenarios")})
	if err != nil || len(m.Cells()) != 5 {
		t.Errorf("%v\n%s", err, text)
	}
}

// lab runs a command line in this process.
func lab(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = Main(t.Context(), args, nil, &out, &errs)
	return code, out.String(), errs.String()
}

// The schema that editors read is the one that lab prints; `go generate ./lab/cli`
// writes it.
func TestShippedSchema(t *testing.T) {
	code, schema, _ := lab(t, "schema", "--scenarios", "none")
	shipped, err := os.ReadFile("../../scenarios/matrix.schema.json")
	if code != exitOK || err != nil || schema != string(shipped) {
		t.Errorf("exit code %d, %v; the schema is not the shipped one", code, err)
	}
}

// binary is lab's, for tests that kill it or give it a terminal.
func binary(t *testing.T) string {
	t.Helper()
	labtest.Kernel(t) // built beforehand, with its own progress
	path, err := built()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func TestRunAndShow(t *testing.T) {
	lab, runs := binary(t), t.TempDir()
	var progress bytes.Buffer
	cmd := osexec.CommandContext(t.Context(), lab, "run", "../../scenarios/ghost-map/matrix.yaml", "--trials", "4", "--set", "expect=[{where: {gomaxprocs: 1}, crash: never}]", "--runs", runs, "-v")
	cmd.Stderr = &progress
	table, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, progress.String())
	}
	if !strings.Contains(progress.String(), "qemu-system-aarch64 -M virt,highmem=off -cpu cortex-a57,pmu=on") {
		t.Errorf("-v does not show QEMU's command:\n%s", progress.String())
	}
	again, err := osexec.Command(lab, "show", "--runs", runs).Output()
	if err != nil || !bytes.Equal(again, table) {
		t.Errorf("show prints\n%s\nrun printed\n%s (%v)", again, table, err)
	}
	_, file, _ := strings.Cut(string(table), "\nreport  ")
	file, _, _ = strings.Cut(file, "\n")
	if page, err := os.ReadFile(file); err != nil || !bytes.Contains(page, []byte(" in 24 trials")) {
		t.Errorf("the report in %q does not say how many trials there were: %v", file, err)
	}
	out, err := osexec.Command(lab, "show", "--json", "--runs", runs).Output()
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Run     string
		Kernels []struct {
			Asked, Ran, Release string
			StandIn             bool `json:"stand_in"`
		}
		Cells []struct {
			Axes       map[string]string
			N, Crash   int
			Signatures []struct{ Title string }
		}
	}
	if err := json.Unmarshal(out, &doc); err != nil {
		t.Fatal(err)
	}
	if k := doc.Kernels[0]; len(doc.Kernels) != 1 || k.Asked != "5.15" || !strings.HasPrefix(k.Release, k.Ran) || k.StandIn != (k.Ran != "5.15") {
		t.Errorf("kernels: %+v", doc.Kernels)
	}
	crashes := 0
	for _, c := range doc.Cells {
		if c.N != 4 {
			t.Errorf("cell %v has %d results, want 4", c.Axes, c.N)
		}
		if c.Axes["gomaxprocs"] == "2" && c.Crash > 0 {
			crashes += c.Crash
			if !strings.HasPrefix(c.Signatures[0].Title, "fatal error: concurrent map") {
				t.Errorf("signature %q", c.Signatures[0].Title)
			}
		}
	}
	if crashes == 0 {
		t.Error("12 trials of two threads on one map, and no crash")
	}
	evidence(t, filepath.Join(runs, doc.Run))
}

// evidence checks that crashes have their console and their fault records.
func evidence(t *testing.T, dir string) {
	t.Helper()
	reports, err := filepath.Glob(filepath.Join(dir, "trials", "*", "crash.json"))
	if err != nil || len(reports) == 0 {
		t.Fatalf("no crash has a report: %v", err)
	}
	for _, r := range reports {
		log, _ := os.ReadFile(filepath.Join(filepath.Dir(r), "console.log"))
		faults, _ := os.ReadFile(filepath.Join(filepath.Dir(r), "lab_fault.txt"))
		if !bytes.Contains(log, []byte("fatal error: ")) {
			t.Errorf("%s: no fatal error in its console", r)
		}
		line, _, _ := strings.Cut(string(faults), "\n")
		if f := strings.Fields(line); len(f) != 11 || f[9] == "-" {
			t.Errorf("%s: no distances in its fault records: %q", r, line)
		}
	}
}

// kill -9 loses no finished trial and leaves no guest.
func TestKilledLabLeavesNothingBehind(t *testing.T) {
	lab, runs := binary(t), t.TempDir()
	cmd := osexec.Command(lab, "run", "../../scenarios/ghost-map/matrix.yaml", "--runs", runs, "-v")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Process.Kill()
	awaitFinished(t, runs, 5)
	children := guestsOf(cmd.Process.Pid)
	if len(children) == 0 {
		t.Error("no guest was running")
	}
	cmd.Process.Signal(syscall.SIGKILL)
	cmd.Wait()
	for _, pid := range children {
		for i := 0; alive(pid); i++ {
			if i == 100 {
				t.Fatalf("QEMU %d outlived lab", pid)
			}
			time.Sleep(20 * time.Millisecond)
		}
	}
	if done, n := finished(t, runs), results(t, runs); n != done {
		t.Errorf("%d trials finished, show counts %d", done, n)
	}
}

func guestsOf(lab int) []int {
	out, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", lab, lab))
	tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", lab))
	for _, f := range tasks {
		b, _ := os.ReadFile(f)
		out = append(append(out, ' '), b...)
	}
	seen := map[int]bool{}
	var pids []int
	for _, f := range strings.Fields(string(out)) {
		var pid int
		if fmt.Sscan(f, &pid); !seen[pid] {
			seen[pid] = true
			pids = append(pids, pid)
		}
	}
	return pids
}

func alive(pid int) bool {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && !bytes.Contains(b, []byte(") Z "))
}
