package travel

import (
	"debug/elf"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"github.com/go-delve/delve/pkg/proc"
	"github.com/go-delve/delve/pkg/proc/linutil"
)

const hello = "package main\n\nimport \"os\"\n\ntype row struct{ key int; names []string; any interface{} }\n\nvar table [3]row\n\n//go:noinline\nfunc greet(m map[string]int) { m[os.Args[0]]++; table[m[\"\"]].key++; table[1].names = os.Args; table[2].any = m }\n\nfunc main() { greet(map[string]int{}) }\n"

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

// A word of a package's variable has a name, and the words of one slice, string
// or interface are known to belong together.
func TestWordsHaveNames(t *testing.T) {
	m, err := loaded(t, "")
	if err != nil {
		t.Fatal(err)
	}
	n := slices.IndexFunc(m.globals, func(s elf.Symbol) bool { return s.Name == "main.table" })
	if n < 0 {
		t.Fatal("main.table is not among the variables")
	}
	for _, s := range m.globals { // none has a value yet
		m.pages[s.Value&^(pageSize-1)] = make([]byte, pageSize)
	}
	const row = 48 // a number, a slice's three words and an interface's two
	start := m.globals[n].Value
	for offset, want := range map[uint64]Place{
		0:             {Name: "main.table[0].key"},
		row + 16:      {Name: "main.table[1].names.len", Header: start + row + 8},
		2*row + 40:    {Name: "main.table[2].any.data", Header: start + 2*row + 32},
		3*row + 1<<20: {},
	} {
		if got := m.Place(start + offset); got.Name != want.Name || got.Header != want.Header {
			t.Errorf("%d bytes on is %+v, want %+v", offset, got, want)
		}
	}
	if entry, _ := m.Function("main.greet"); !m.Constant(entry) || m.Constant(start) {
		t.Error("which data is read-only is not known")
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
