// Package gdb prepares debugger sessions: it writes the script with which one
// gdb sees the kernel, the Go program and the sources of both. It starts no
// guests.
package gdb

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Session is what a debugger needs to know of a guest.
type Session struct {
	// Socket is the gdb stub's.
	Socket string
	// Vmlinux has the kernel's symbols; KernelPrefix in its debug information
	// stands for the folder KernelSources.
	Vmlinux                     string
	KernelPrefix, KernelSources string
	// Program is the program under test, Module the path of its module and
	// ModuleDir that module's folder, GOROOT the toolchain that compiled it.
	Program, Module, ModuleDir, GOROOT string
}

// Script is gdb's command file. After it gdb stands where the guest does.
func (s Session) Script() string {
	var b strings.Builder
	p := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	p("# One gdb for a guest of the lab: the kernel and the Go program in it.")
	p("set confirm off")
	p("set architecture aarch64")
	p("# sources: Go's debug information names files by import path")
	p("directory %s", filepath.Join(s.GOROOT, "src"))
	p("set substitute-path %s %s", s.Module, s.ModuleDir)
	p("set substitute-path %s %s", s.KernelPrefix, s.KernelSources)
	p("# the kernel, with its lx- commands")
	p("add-auto-load-safe-path %s", filepath.Dir(s.Vmlinux))
	p("file %s", s.Vmlinux)
	p("# the Go program; it is static, its addresses are those of the file")
	p("add-auto-load-safe-path %s", s.GOROOT)
	p("add-symbol-file %s", s.Program)
	p("set confirm on")
	p("target remote %s", s.Socket)
	return b.String()
}

// Write writes the script to a file and returns the command that uses it.
func (s Session) Write(file string) (command string, err error) {
	if err := os.WriteFile(file, []byte(s.Script()), 0o600); err != nil {
		return "", fmt.Errorf("gdb script: %w", err)
	}
	return "gdb-multiarch -q -x " + file, nil
}

// Missing returns nil where a gdb for arm64 is installed.
func Missing() error {
	if _, err := exec.LookPath("gdb-multiarch"); err != nil {
		return &NotFoundError{}
	}
	return nil
}

// NotFoundError says that this host has no gdb for arm64.
type NotFoundError struct{}

func (*NotFoundError) Error() string { return "gdb-multiarch was not found" }

// Hint says what to do about it.
func (*NotFoundError) Hint() string {
	return "`lab doctor` names the command that installs it; elsewhere a gdb built for all targets reads the same script"
}
