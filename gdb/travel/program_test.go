package travel

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/go-delve/delve/pkg/proc"
	"github.com/go-delve/delve/pkg/proc/linutil"
)

const hello = "package main\n\nimport \"os\"\n\n//go:noinline\nfunc greet(m map[string]int) { m[os.Args[0]]++ }\n\nfunc main() { greet(map[string]int{}) }\n"

// loaded is a machine that knows a program and nothing else.
func loaded(t *testing.T, ldflags string) (*Machine, error) {
	t.Helper()
	dir := t.TempDir()
	os.WriteFile(filepath.Join(dir, "main.go"), []byte(hello), 0o644)
	os.WriteFile(filepath.Join(dir, "go.mod"), []byte("module hello\n"), 0o644)
	cmd := exec.Command("go", "build", "-o", "hello", "-ldflags", ldflags, ".")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOOS=linux", "GOARCH=arm64", "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	m := &Machine{bi: proc.NewBinaryInfo("linux", "arm64", false), ctx: t.Context(), regs: &linutil.ARM64PtraceRegs{}, pages: map[uint64][]byte{0: make([]byte, pageSize)}}
	var err error
	m.target, err = m.load(filepath.Join(dir, "hello"))
	return m, err
}

// What the runtime's maps and goroutines look like is read from the program.
func TestProgramTellsOfItsTypes(t *testing.T) {
	m, err := loaded(t, "")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range [][2]string{{"runtime.g", "goid"}, {"runtime.g", "sched"}, {"internal/runtime/maps.Map", "writing"}, {"runtime.unwinder", "g"}} {
		if _, size, ok := m.Field(f[0], f[1]); !ok || size == 0 {
			t.Errorf("%s.%s: %d bytes, %v", f[0], f[1], size, ok)
		}
	}
	if _, _, ok := m.Field("runtime.g", "none"); ok {
		t.Error("a field that is not there was found")
	}
	entry, ok := m.Function("main.greet")
	if name, at, in := m.In(entry + 8); !ok || !in || name != "main.greet" || at != entry {
		t.Errorf("main.greet begins at %#x, %v; 8 bytes later is %s, which begins at %#x", entry, ok, name, at)
	}
}

func TestStrippedProgramIsSaidToBe(t *testing.T) {
	for _, flags := range []string{"-s -w", "-w"} {
		var stripped *SymbolsError
		if _, err := loaded(t, flags); !errors.As(err, &stripped) {
			t.Errorf("%s: %v", flags, err)
		}
	}
}
