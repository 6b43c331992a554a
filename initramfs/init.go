package initramfs

import (
	"context"
	"embed"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"ghostlab/lab/store"
	"ghostlab/lab/toolchain"
)

// sources are carried in lab itself: it can make init anywhere.
//
//go:embed guest/*.go wire/*.go
var sources embed.FS

// textAddress is where init is linked. Static Go programs for arm64 load at
// 0x10000, so a breakpoint at an address of theirs never hits init; the 0x1000
// is the room that the linker needs for the ELF header.
const textAddress = "0x10011000"

// Init returns the path of the guest's init, built by the Go that built lab and
// kept in the store.
func Init(ctx context.Context, st *store.Store) (string, error) {
	h := store.NewHasher("init 1")
	h.Add("go", runtime.Version())
	h.Add("address", textAddress)
	err := eachSource(func(name string, text []byte) error {
		h.Add(name, string(text))
		return nil
	})
	if err != nil {
		return "", err
	}
	dir, err := st.Ensure(ctx, "init", h.Key(), build)
	return filepath.Join(dir, "init"), err
}

// Sum is the SHA-256 of the init that this lab makes.
func Sum(ctx context.Context, st *store.Store) (string, error) {
	path, err := Init(ctx, st)
	if err != nil {
		return "", err
	}
	return store.FileSum(path)
}

func build(ctx context.Context, staging string) error {
	module := filepath.Join(staging, "src")
	err := eachSource(func(name string, text []byte) error {
		to := filepath.Join(module, "initramfs", name)
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return err
		}
		return os.WriteFile(to, text, 0o644)
	})
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(module, "go.mod"), []byte("module ghostlab\n\ngo 1.21\n"), 0o644); err != nil {
		return err
	}
	return toolchain.Compile(ctx, toolchain.Build{
		Dir:     module,
		Package: "./initramfs/guest",
		LDFlags: "-s -w -buildid= -T " + textAddress,
		Out:     filepath.Join(staging, "init"),
	})
}

func eachSource(visit func(name string, text []byte) error) error {
	return fs.WalkDir(sources, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(name) != ".go" {
			return err
		}
		if len(name) > 8 && name[len(name)-8:] == "_test.go" {
			return nil
		}
		text, err := sources.ReadFile(name)
		if err != nil {
			return err
		}
		return visit(name, text)
	})
}
