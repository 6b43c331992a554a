package images

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/google/renameio/v2"

	"ghostlab/lab/store"
	"ghostlab/lab/toolchain"
	"ghostlab/scenarios"
)

// compile keeps the program under the digest of its bytes. Whether anything has
// changed since the last time is for the go command to say: it finds the last
// program in the place of the new one and leaves it there, or links again.
// Linking is most of the time that a compilation takes.
func compile(ctx context.Context, st *store.Store, p scenarios.Program, goVersion string) (path, sum string, err error) {
	tmp, err := os.MkdirTemp(st.Dir(), "compile-")
	if err != nil {
		return "", "", err
	}
	defer os.RemoveAll(tmp)
	fresh := filepath.Join(tmp, programFile)
	b := Build(p, goVersion)
	b.Out = fresh
	last := lastFile(st, b)
	if err := seed(st, last, fresh); err != nil {
		return "", "", err
	}
	if err := toolchain.Compile(ctx, b); err != nil {
		return "", "", err
	}
	if sum, err = store.FileSum(fresh); err != nil {
		return "", "", err
	}
	folder, err := st.Ensure(ctx, "programs", programKey(sum), func(_ context.Context, staging string) error {
		return os.Rename(fresh, filepath.Join(staging, programFile))
	})
	if err != nil {
		return "", "", err
	}
	if err := os.MkdirAll(filepath.Dir(last), 0o755); err != nil {
		return "", "", err
	}
	return filepath.Join(folder, programFile), sum, renameio.WriteFile(last, []byte(sum), 0o644)
}

// Build is how a program is compiled, but for where to.
func Build(p scenarios.Program, goVersion string) toolchain.Build {
	b := toolchain.Build{Go: goVersion, Dir: p.Dir, Package: p.Package, InPlace: p.InPlace(), Tests: p.Tests, Race: p.Race, NoOptimize: p.NoOptimize, CC: p.CC, Tags: p.Tags}
	if b.Package == "" {
		b.Package = "."
	}
	return b
}

// lastFile is where the digest of the last program that was built so is kept.
func lastFile(st *store.Store, b toolchain.Build) string {
	b.Out = ""
	h := store.NewHasher("last program 2")
	h.Add("build", fmt.Sprintf("%#v", b))
	return st.Path("last-programs", h.Key())
}

func programKey(sum string) store.Key {
	h := store.NewHasher("program 1")
	h.Add("sha256", sum)
	return h.Key()
}

// seed copies the last program to path. The go command looks at a program's
// head only, so one that is not what it was must not get there.
func seed(st *store.Store, last, path string) error {
	sum, err := os.ReadFile(last)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	program, err := os.ReadFile(filepath.Join(st.Path("programs", programKey(string(sum))), programFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := os.WriteFile(path, program, 0o755); err != nil {
		return err
	}
	if got, err := store.FileSum(path); err != nil || got != string(sum) {
		return errors.Join(err, os.Remove(path))
	}
	return nil
}
