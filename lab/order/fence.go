// Package order makes the parallel engine keep Arm's memory order, by a plugin of
// QEMU's, and finds out by a litmus test in a guest whether it does so on this host.
// What is done with the answer belongs to lab/journal and lab/report.
package order

import (
	"bytes"
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"

	"ghostlab/lab/qemu"
	"ghostlab/lab/store"
)

//go:embed fence/fence.c
var source string

// Digest is the SHA-256 of the plugin's source, in hexadecimal.
func Digest() string {
	sum := sha256.Sum256([]byte(source))
	return hex.EncodeToString(sum[:])
}

// CanFence returns nil where Fence can work: the host has a C compiler, which is named,
// and the emulator takes plugins.
func CanFence(ctx context.Context, binary string) (compiler string, err error) {
	if compiler, err = findCompiler(); err != nil {
		return "", err
	}
	return compiler, qemu.TakesPlugins(ctx, binary)
}

// Fence returns the plugin for an emulator, compiled now or taken from the store. The
// error says why this host cannot have it.
func Fence(ctx context.Context, st *store.Store, binary, version string) (file string, err error) {
	compiler, err := CanFence(ctx, binary)
	if err != nil {
		return "", err
	}
	what, err := exec.CommandContext(ctx, compiler, "--version").Output()
	if err != nil {
		return "", fmt.Errorf("%s --version: %w", compiler, err)
	}
	line, _, _ := bytes.Cut(what, []byte("\n"))
	args := append([]string{fmt.Sprintf("-DINTERFACE=%d", qemu.PluginInterface(version)), "-O2", "-fPIC"}, linkFlags(runtime.GOOS)...)
	h := store.NewHasher("fence 1")
	h.Add("source", source)
	h.Add("compiler", string(line))
	h.Add("arguments", strings.Join(args, " "))
	h.Add("host", runtime.GOOS+"/"+runtime.GOARCH)
	dir, err := st.Ensure(ctx, "plugins", h.Key(), func(ctx context.Context, staging string) error {
		cmd := exec.CommandContext(ctx, compiler, append(args, "-o", filepath.Join(staging, fenceFile), "-x", "c", "-")...)
		cmd.Stdin = strings.NewReader(source)
		if out, err := cmd.CombinedOutput(); err != nil {
			if full := syscall.ENOSPC; bytes.Contains(bytes.ToLower(out), []byte(full.Error())) {
				return fmt.Errorf("%s: %w", compiler, full)
			}
			said, _, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
			return fmt.Errorf("%s: %w: %s", compiler, err, said)
		}
		return nil
	})
	return filepath.Join(dir, fenceFile), err
}

const fenceFile = "fence.so"

// linkFlags make a library whose functions of QEMU's are found when it is loaded.
func linkFlags(system string) []string {
	if system == "darwin" {
		return []string{"-bundle", "-undefined", "dynamic_lookup"}
	}
	return []string{"-shared"}
}

// findCompiler returns the host's C compiler by the names that it goes by.
func findCompiler() (string, error) {
	for _, name := range []string{"cc", "gcc", "clang"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", errNoCompiler
}

var errNoCompiler = errors.New("this host has no C compiler to make the plugin with")
