package gdb

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// A gdb for all targets has that name only on some distributions.
func TestFind(t *testing.T) {
	name, err := Find()
	if err != nil {
		t.Skip(err)
	}
	real, _ := exec.LookPath(name)
	shell, _ := exec.LookPath("sh")
	bin := t.TempDir()
	t.Setenv("PATH", bin)
	gdb := filepath.Join(bin, "gdb")
	if err := os.Symlink(real, gdb); err != nil {
		t.Fatal(err)
	}
	if name, err := Find(); name != "gdb" {
		t.Errorf("got %q, %v", name, err)
	}
	// One for x86 only.
	only := "#!" + shell + "\necho 'The target architecture is set to \"auto\" (currently \"i386\").'\n"
	if err := errors.Join(os.Remove(gdb), os.WriteFile(gdb, []byte(only), 0o755)); err != nil {
		t.Fatal(err)
	}
	var none *NotFoundError
	if name, err := Find(); !errors.As(err, &none) {
		t.Errorf("got %q, %v", name, err)
	}
}
