package gdb

import (
	"context"
	"path/filepath"

	"ghostlab/lab/store"
	"ghostlab/lab/toolchain"
)

// delves are the releases of Delve that understand programs of a Go 1.minor and
// newer, up to the next line (each release's pkg/goversion/compat.go), and whose
// own go.mod that Go satisfies.
var delves = []struct {
	minor   int
	version string
}{
	{25, "v1.27.2"}, // 1.25 to 1.27
	{24, "v1.26.2"}, // 1.24 to 1.26
	{22, "v1.25.2"}, // 1.22 to 1.25
	{0, "v1.24.2"},  // 1.21 to 1.24
}

func delveVersion(minor int) string {
	for _, d := range delves {
		if minor >= d.minor {
			return d.version
		}
	}
	panic("unreachable: the last line is for all")
}

// Delve returns a dlv that runs in the guest and understands programs of that Go
// version, from the store or built now by the same Go, and Delve's own version.
func Delve(ctx context.Context, st *store.Store, goVersion string) (path, version string, err error) {
	version = delveVersion(toolchain.Minor(goVersion))
	h := store.NewHasher("delve 1")
	h.Add("version", version)
	h.Add("go", goVersion)
	dir, err := st.Ensure(ctx, "delve", h.Key(), func(ctx context.Context, staging string) error {
		return toolchain.Install(ctx, goVersion, "github.com/go-delve/delve/cmd/dlv@"+version, filepath.Join(staging, "dlv"))
	})
	return filepath.Join(dir, "dlv"), version, err
}
