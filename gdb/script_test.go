package gdb

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestScript(t *testing.T) {
	file := filepath.Join(t.TempDir(), "lab.gdb")
	s := Session{
		Socket: "/run/x/gdb", Vmlinux: "/k/vmlinux", KernelPrefix: "/linux", KernelSources: "/k/src",
		Program: "/p/repro", Module: "ghost-map", ModuleDir: "/s/ghost-map/repro", GOROOT: "/go",
	}
	command, err := s.Write(file)
	if err != nil || command != "gdb-multiarch -q -x "+file {
		t.Errorf("%q, %v", command, err)
	}
	text, _ := os.ReadFile(file)
	for _, line := range []string{
		"set architecture aarch64", "file /k/vmlinux", "add-symbol-file /p/repro",
		"set substitute-path /linux /k/src", "set substitute-path ghost-map /s/ghost-map/repro",
		"directory /go/src", "target remote /run/x/gdb",
	} {
		if !strings.Contains(string(text), line+"\n") {
			t.Errorf("the script lacks %q", line)
		}
	}
}
