package toolchain

import (
	"debug/dwarf"
	"debug/elf"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"
)

// tree writes files, each with its text, into a folder.
func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		name = filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// compiled are the names of the files that a program was compiled from.
func compiled(t *testing.T, program string) (names []string) {
	t.Helper()
	f, err := elf.Open(program)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	info, err := f.DWARF()
	if err != nil {
		t.Fatal(err)
	}
	for r := info.Reader(); ; r.SkipChildren() {
		unit, err := r.Next()
		if err != nil {
			t.Fatal(err)
		}
		if unit == nil {
			return names
		}
		lines, err := info.LineReader(unit)
		if err != nil || lines == nil {
			continue
		}
		var e dwarf.LineEntry
		for lines.Next(&e) != io.EOF {
		}
		for _, f := range lines.Files() {
			if f != nil && !strings.ContainsAny(f.Name, "<?") { // what nobody wrote
				names = append(names, f.Name)
			}
		}
	}
}

// Wherever a package comes from, its files are found by the names that the
// program has for them.
func TestEveryFileOfAProgramIsFound(t *testing.T) {
	dir := tree(t, map[string]string{
		"go.work":        "go 1.21\n\nuse (\n\t\"./my prog\"\n\t./beside\n)\n",
		"beside/go.mod":  "module beside.example/b\n\ngo 1.21\n",
		"beside/in/b.go": "package in\n\nfunc B() int { return len(os()) }\n\n//go:noinline\nfunc os() string { return \"b\" }\n",
		"my prog/go.mod": "module prog\n\ngo 1.21\n\nrequire gone.example/dep v1.2.3\n\nreplace gone.example/dep => \"./local copy\"\n",
		"my prog/cmd/x/main.go": "package main\n\nimport (\n\t\"beside.example/b/in\"\n\t\"gone.example/dep/deep\"\n)\n\n" +
			"func main() { println(in.B(), deep.D(), made()) }\n",
		"my prog/cmd/x/made.go":           "package main\n\n//line grammar/from.y:2\nfunc made() int { return f() }\n\n//go:noinline\nfunc f() int { return 1 }\n",
		"my prog/cmd/x/grammar/from.y":    "1\n2\n3\n4\n5\n",
		"my prog/cmd/x/x_test.go":         "package main_test\n\nimport \"testing\"\n\nfunc TestX(t *testing.T) { t.Fatal(1) }\n",
		"my prog/local copy/go.mod":       "module gone.example/dep\n",
		"my prog/local copy/deep/deep.go": "package deep\n\n//go:noinline\nfunc D() int { return 7 }\n",
	})
	for _, b := range []Build{
		{Dir: filepath.Join(dir, "my prog"), Package: "./cmd/x", InPlace: true},
		{Dir: filepath.Join(dir, "my prog"), Package: "prog/cmd/x", InPlace: true, Tests: true},
	} {
		b.Out = filepath.Join(t.TempDir(), "program")
		if err := Compile(t.Context(), b); err != nil {
			t.Fatal(err)
		}
		folders, standard, err := Folders(t.Context(), b)
		if err != nil {
			t.Fatal(err)
		}
		if !standard["runtime"] || standard["prog/cmd/x"] {
			t.Error("which folders are Go's own is wrong")
		}
		found := map[string]bool{}
		for _, name := range compiled(t, b.Out) {
			at := filepath.Join(folders["prog/cmd/x"], name) // where a //line comment is from
			for d := path.Dir(name); d != "." && d != "/"; d = path.Dir(d) {
				if folders[d] != "" {
					at = filepath.Join(folders[d], strings.TrimPrefix(name, d))
					break
				}
			}
			if _, err := os.Stat(at); err != nil && !strings.HasPrefix(path.Base(name), "_") { // _testmain.go
				t.Errorf("tests %v: %s is not found at %q", b.Tests, name, at)
			}
			found[path.Base(name)] = true
		}
		want := []string{"main.go", "from.y", "b.go", "deep.go", "map.go"}
		if b.Tests {
			want = []string{"x_test.go", "testing.go"}
		}
		for _, name := range want {
			if !found[name] {
				t.Errorf("tests %v: the program does not know of %s", b.Tests, name)
			}
		}
	}
}
