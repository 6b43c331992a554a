package gdb

import (
	"debug/elf"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"ghostlab/initramfs"
	"ghostlab/lab/labtest"
)

func TestScript(t *testing.T) {
	s := Session{
		Socket: "/run/x/gdb", Vmlinux: labtest.Kernel(t).Vmlinux(), KernelPrefix: "/linux", KernelSources: "/k/src",
		Program: "/p/repro", GOROOT: "/go", Folders: []Folder{{"ghost-map", "/s/ghost map/repro"}},
		Breaks: []string{"main.(*T).M"},
	}
	dir := t.TempDir()
	command, err := s.Write(dir)
	file := filepath.Join(dir, scriptFile)
	if want := []string{"gdb-multiarch", "-q", "-x", file}; err != nil || !slices.Equal(command, want) {
		t.Fatalf("%q, %v", command, err)
	}
	text, _ := os.ReadFile(file)
	for _, line := range []string{
		"set architecture aarch64", "file " + s.Vmlinux, "add-symbol-file /p/repro",
		"set substitute-path /linux /k/src", `set substitute-path "ghost-map" "/s/ghost map/repro"`,
		"directory /go/src", "target remote /run/x/gdb", "hbreak 'main.(*T).M'",
	} {
		if !strings.Contains(string(text), line+"\n") {
			t.Errorf("the script lacks %q", line)
		}
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
	if err, ok := s.Check().(*NoSymbolsError); !ok {
		t.Errorf("a stripped program: got %v", err)
	}
}
