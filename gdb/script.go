// Package gdb prepares debugger sessions: it writes the script with which one
// gdb sees the kernel, the Go program and the sources of both, and builds the
// Delve that fits a toolchain. It starts no guests.
package gdb

import (
	_ "embed"
	"fmt"
	"os"
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
	// Program is the program under test, GOROOT the toolchain that compiled it.
	Program, GOROOT string
	// Folders are those of its packages on this host, see Outermost. Nil where its
	// sources are not to be had.
	Folders []Folder
	// Breaks are functions to stop at, of the program or of the kernel.
	Breaks []string
	// CPU is the one to look at, from 1. Zero leaves that to gdb.
	CPU int
}

// Files of a session's folder.
const (
	scriptFile = "lab.gdb"
	entryFile  = "kernel-entry.elf"
)

// inKernel gives gdb the command in-kernel.
//
//go:embed inkernel.py
var inKernel string

// vectors gives gdb the frame of a program that the kernel has just interrupted.
//
//go:embed vectors.py
var vectors string

// script is gdb's command file. After it gdb stands where the guest does.
func (s Session) script(entry string) string {
	var b strings.Builder
	p := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	p("# One gdb for a guest of the lab: the kernel and the Go program in it.")
	p("set confirm off")
	p("set architecture aarch64")
	p("# sources: Go's debug information names files by import path")
	p("directory %s", quote(filepath.Join(s.GOROOT, "src")))
	for _, f := range s.Folders {
		p("set substitute-path %s %s", quote(f.Name), quote(f.Dir))
	}
	p("set substitute-path %s %s", quote(s.KernelPrefix), quote(s.KernelSources))
	p("# the kernel, with its lx- commands")
	p("add-auto-load-safe-path %s", filepath.Dir(s.Vmlinux)) // takes the rest of the line
	p("file %s", quote(s.Vmlinux))
	p("# how a back trace goes on from the kernel's entry points into the program")
	p("add-symbol-file %s -o 0", quote(entry))
	p("# the Go program; it is static, its addresses are those of the file")
	p("add-auto-load-safe-path %s", s.GOROOT)
	p("add-symbol-file %s", quote(s.Program))
	p("# a busy host answers late; gdb waits for 2 s by itself")
	p("set remotetimeout 60")
	p("target remote %s", s.Socket)
	if s.CPU != 0 {
		p("thread %d", s.CPU)
	}
	for _, name := range s.Breaks {
		// In hardware: the kernel has not mapped anything yet.
		p("hbreak '%s'", name)
	}
	p("python\n%s%send", inKernel, vectors)
	p("set confirm on")
	return b.String()
}

// Write writes the script, and what it loads, into dir and returns the command
// that uses it.
func (s Session) Write(dir string) (argv []string, err error) {
	entry := filepath.Join(dir, entryFile)
	if err := writeEntryFrames(s.Vmlinux, entry); err != nil {
		return nil, err
	}
	script := filepath.Join(dir, scriptFile)
	if err := os.WriteFile(script, []byte(s.script(entry)), 0o600); err != nil {
		return nil, fmt.Errorf("gdb script: %w", err)
	}
	return []string{Name(), "-q", "-x", script}, nil
}

// quote makes a path one word of a gdb command.
func quote(path string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(path) + `"`
}
