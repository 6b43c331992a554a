package doctor

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"

	"ghostlab/gdb"
	"ghostlab/lab/order"
	"ghostlab/lab/toolchain"
)

// Host names the programs that the settings can change.
type Host struct{ QEMU, CrossCompile string }

// everywhere is a package of the same name in every manager.
func everywhere(name string) map[Manager][]string {
	return map[Manager][]string{Apt: {name}, Dnf: {name}, Pacman: {name}, Brew: {name}}
}

// Tools are what a run, a kernel build and a debugging session need.
func Tools(h Host) []Tool {
	cross := map[Manager][]string{
		Apt:    {"gcc-aarch64-linux-gnu"},
		Dnf:    {"gcc-aarch64-linux-gnu"},
		Pacman: {"aarch64-linux-gnu-gcc"},
		Brew:   {"messense/macos-cross-toolchains/aarch64-unknown-linux-gnu"},
	}
	cc := map[Manager][]string{Apt: {"gcc", "libc6-dev"}, Dnf: {"gcc", "glibc-devel"}, Pacman: {"gcc"}, Brew: {"gcc"}}
	if h.CrossCompile == "" {
		cross = cc
	}
	return []Tool{
		{Name: "go", For: "compiling lab, init and the program under test", probe: goVersion,
			Packages: map[Manager][]string{Apt: {"golang-go"}, Dnf: {"golang"}, Pacman: {"go"}, Brew: {"go"}}},
		{Name: h.QEMU, For: "running guests", probe: qemuVersion(h.QEMU),
			Packages: map[Manager][]string{Apt: {"qemu-system-arm"}, Dnf: {"qemu-system-aarch64-core"}, Pacman: {"qemu-system-aarch64"}, Brew: {"qemu"}}},
		{Name: h.CrossCompile + "gcc", For: "compiling kernels", probe: says(h.CrossCompile+"gcc", "--version"), Packages: cross},
		{Name: h.CrossCompile + "ld", For: "linking kernels", probe: says(h.CrossCompile+"ld", "--version"),
			Packages: map[Manager][]string{Apt: {"binutils-aarch64-linux-gnu"}, Dnf: {"binutils-aarch64-linux-gnu"}, Pacman: {"aarch64-linux-gnu-binutils"}, Brew: cross[Brew]}},
		{Name: "gcc", For: "the kernel build's own tools", probe: says("gcc", "--version"), Packages: cc},
		{Name: "C headers", For: "the kernel build's own tools", probe: cHeaders, Packages: cc},
		{Name: "make", For: "building kernels", probe: says("make", "--version"), Packages: everywhere("make")},
		{Name: "flex", For: "building kernels", probe: says("flex", "--version"), Packages: everywhere("flex")},
		{Name: "bison", For: "building kernels", probe: says("bison", "--version"), Packages: everywhere("bison")},
		{Name: "bc", For: "building kernels", probe: says("bc", "--version"), Packages: everywhere("bc")},
		{Name: "perl", For: "building kernels", probe: says("perl", "-e", "print \"$^V\\n\""), Packages: everywhere("perl")},
		{Name: "patch", For: "the kernel patches", probe: says("patch", "--version"), Packages: everywhere("patch")},
		{Name: "tar", For: "unpacking kernel sources", probe: says("tar", "--version"),
			Packages: map[Manager][]string{Apt: {"tar"}, Dnf: {"tar"}, Pacman: {"tar"}, Brew: {"gnu-tar"}}},
		{Name: "xz", For: "unpacking kernel sources", probe: says("xz", "--version"),
			Packages: map[Manager][]string{Apt: {"xz-utils"}, Dnf: {"xz"}, Pacman: {"xz"}, Brew: {"xz"}}},
		{Name: "bzip2", For: "unpacking Ubuntu's kernel sources", probe: present("bzip2"), Packages: everywhere("bzip2")},
		{Name: "QEMU plugins", For: "Arm's memory order in the parallel engine", Optional: true, probe: plugins(h.QEMU),
			Packages: map[Manager][]string{Apt: {"qemu-system-arm", "gcc"}, Dnf: {"qemu-system-aarch64-core", "gcc"}, Pacman: {"qemu-system-aarch64", "gcc"}, Brew: {"qemu", "gcc"}}},
		{Name: "static C library", For: "lab try -race and --cgo", Optional: true, probe: staticC(h.CrossCompile + "gcc"),
			Packages: map[Manager][]string{Apt: {staticLibrary(h)}, Dnf: {"glibc-static"}, Pacman: {"aarch64-linux-gnu-glibc"}, Brew: cross[Brew]}},
		{Name: "gdb for arm64", For: "lab debug, lab attach, lab replay --gdb", Optional: true, probe: gdbVersion,
			Packages: map[Manager][]string{Apt: {"gdb-multiarch"}, Dnf: {"gdb"}, Pacman: {"gdb"}, Brew: {"gdb"}}},
		{Name: "chromium", For: "the tests of the HTML report", Optional: true, probe: says("chromium", "--version"), Packages: everywhere("chromium")},
	}
}

// staticLibrary is Debian's package with an arm64 libc.a.
func staticLibrary(h Host) string {
	if h.CrossCompile == "" {
		return "libc6-dev"
	}
	return "libc6-dev-arm64-cross"
}

// staticC links a C program that needs no library in the guest.
func staticC(cc string) func(context.Context) (string, error) {
	return func(ctx context.Context) (string, error) {
		cmd := exec.CommandContext(ctx, cc, "-static", "-x", "c", "-o", "/dev/null", "-")
		cmd.Stdin = strings.NewReader("int main(void) { return 0; }\n")
		if err := cmd.Run(); err != nil {
			return "", err
		}
		return "present", nil
	}
}

// present is for programs that wait for input when asked for their version.
func present(name string) func(context.Context) (string, error) {
	return func(context.Context) (string, error) {
		_, err := exec.LookPath(name)
		return "present", err
	}
}

// oldestGo is the first release that fetches other toolchains by itself.
const oldestGo = 21

func goVersion(ctx context.Context) (string, error) {
	said, err := toolchain.Ask(ctx, "GOVERSION")
	if err != nil {
		return "", err
	}
	v := strings.TrimPrefix(strings.TrimSpace(said[0]), "go")
	var minor int
	if _, err := fmt.Sscanf(v, "1.%d", &minor); err == nil && minor < oldestGo {
		return "", fmt.Errorf("found %s, want 1.%d or newer; `make setup` fetches it", v, oldestGo)
	}
	return v, nil
}

// qemuVersion also asks for the one device that some builds leave out.
func qemuVersion(binary string) func(context.Context) (string, error) {
	return func(ctx context.Context) (string, error) {
		v, err := says(binary, "--version")(ctx)
		if err != nil {
			return "", err
		}
		out, err := exec.CommandContext(ctx, binary, "-device", "help").Output()
		if err != nil {
			return "", err
		}
		if !strings.Contains(string(out), `"ivshmem-plain"`) {
			return "", fmt.Errorf("found %s without the device ivshmem-plain, which carries results", v)
		}
		return v, nil
	}
}

// plugins asks for what the fence of lab/order needs.
func plugins(binary string) func(context.Context) (string, error) {
	return func(ctx context.Context) (string, error) {
		compiler, err := order.CanFence(ctx, binary)
		if err != nil {
			return "", err
		}
		return "compiled by " + filepath.Base(compiler), nil
	}
}

func gdbVersion(ctx context.Context) (string, error) {
	name, err := gdb.Find()
	if err != nil {
		return "", err
	}
	return says(name, "--version")(ctx)
}

func cHeaders(ctx context.Context) (string, error) {
	cmd := exec.CommandContext(ctx, "gcc", "-E", "-o", "/dev/null", "-")
	cmd.Stdin = strings.NewReader("#include <stdio.h>\n#include <stdlib.h>\n")
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("no stdio.h: %w", err)
	}
	return "present", nil
}
