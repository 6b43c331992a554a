// Package labtest gives tests what a real guest needs: the kernel that the
// default settings lead to, and images of small programs. Nothing but tests
// imports it.
package labtest

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"ghostlab/images"
	"ghostlab/kernels"
	"ghostlab/lab/store"
	"ghostlab/scenarios"
)

// Go is the toolchain that test programs are compiled with.
const Go = "1.21.6"

// Store is the user's own cache, where `make kernel` has put the kernel.
func Store(t testing.TB) *store.Store {
	t.Helper()
	dir := os.Getenv("LAB_CACHE")
	if dir == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			t.Fatal(err)
		}
		dir = filepath.Join(cache, "ghostlab")
	}
	st, err := store.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return st
}

// Kernel returns the kernel of the default settings, or the one of the tree in
// LAB_KERNEL_SOURCE, built now where need be. Tests with guests are not short.
func Kernel(t testing.TB) *kernels.Kernel {
	t.Helper()
	if testing.Short() {
		t.Skip("boots a guest")
	}
	opt := kernels.Options{Series: "5.15", StandIn: true, Jobs: runtime.NumCPU(), CrossCompile: "aarch64-linux-gnu-"}
	if runtime.GOARCH == "arm64" {
		opt.CrossCompile = ""
	}
	if src := os.Getenv("LAB_KERNEL_SOURCE"); src != "" {
		opt.Series, opt.Source = "", src
	}
	k, err := kernels.Ensure(t.Context(), Store(t), opt, nil)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// Image returns an image with the Go program in dir.
func Image(t testing.TB, dir string) *images.Image {
	t.Helper()
	k := Kernel(t)
	img, err := images.Ensure(t.Context(), Store(t), k, scenarios.Program{Dir: dir}, Go)
	if err != nil {
		t.Fatal(err)
	}
	return img
}
