package gdb

import (
	"debug/elf"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"ghostlab/gdb/symbols"
	"ghostlab/initramfs"
	"ghostlab/lab/labtest"
)

// A real gdb takes the script, whatever the folders are called; only the guest is
// not there.
func TestScript(t *testing.T) {
	debugger, err := Find()
	if err != nil {
		t.Skip(err)
	}
	dir := filepath.Join(t.TempDir(), `a "b" c's \d`)
	file := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.Symlink(content, path)); err != nil {
			t.Fatal(err)
		}
		return path
	}
	s := Session{
		Socket: filepath.Join(dir, "gdb"), KernelPrefix: "/linux", KernelSources: filepath.Join(dir, "src"), GOROOT: dir,
		Vmlinux: file("vmlinux", labtest.Kernel(t).Vmlinux()),
		Program: file("repro", labtest.Image(t, "../scenarios/ghost-map/repro").Program),
		Folders: []Folder{{"ghost map", filepath.Join(dir, "ghost map")}},
		Breaks:  []string{"main.(*T).M"},
	}
	command, err := s.Write(dir)
	script := filepath.Join(dir, scriptFile)
	if want := []string{debugger, "-q", "-x", script}; err != nil || !slices.Equal(command, want) {
		t.Fatalf("%q, %v", command, err)
	}
	out, err := exec.CommandContext(t.Context(), debugger, "-nx", "-batch", "-x", script, "-ex", "show directories",
		"-ex", "show substitute-path", "-ex", "info auto-load python-scripts", "-ex", "info line main.main", "-ex", "info address start_kernel").CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, want := range []string{
		s.Socket + ": No such file or directory", // its first error
		"Source directories searched: " + dir + "/src:", "`/linux' -> `" + dir + "/src'", "`ghost map' -> `" + dir + "/ghost map'",
		`Symbol "start_kernel" is`, "starts at address",
	} {
		if !strings.Contains(string(out), want) {
			t.Errorf("gdb did not say %q:\n%s", want, out)
		}
	}
	text, _ := os.ReadFile(script)
	if want := "hbreak 'main.(*T).M'\n"; !strings.Contains(string(text), want) {
		t.Errorf("the script lacks %q", want)
	}
	frames, err := elf.Open(filepath.Join(dir, entryFile))
	if err != nil {
		t.Fatal(err)
	}
	defer frames.Close()
	if section := frames.Section(".debug_frame"); section == nil || section.Size < 8*24 {
		t.Errorf("frames of %+v", section)
	}
	if _, err := frames.Symbols(); err != nil {
		t.Errorf("gdb would warn: %v", err)
	}
}

func TestFunctionsAreChecked(t *testing.T) {
	kernel := labtest.Kernel(t)
	img := labtest.Image(t, "../scenarios/ghost-map/repro")
	s := Session{Program: img.Program, Vmlinux: kernel.Vmlinux(), Breaks: []string{"runtime.fatal", "handle_mm_fault"}}
	if err := s.Check(); err != nil {
		t.Error(err)
	}
	s.Breaks = []string{"runtime.fatale"}
	if err, ok := s.Check().(*UnknownFunctionError); !ok || err.Near != "runtime.fatal" {
		t.Errorf("got %v", err)
	}
	stripped, err := initramfs.Init(t.Context(), labtest.Store(t))
	if err != nil {
		t.Fatal(err)
	}
	s.Program = stripped
	if err, ok := s.Check().(*symbols.MissingError); !ok {
		t.Errorf("a stripped program: got %v", err)
	}
}
