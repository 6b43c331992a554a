// Package uroot makes the archive of u-root's commands for the interactive
// shell: cat, ls, ps, dmesg, strace and some hundred more in one program, and a
// shell to call them from. Trials have none of them.
package uroot

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"

	"github.com/u-root/gobusybox/src/pkg/golang"
	"github.com/u-root/mkuimage/uimage"
	"github.com/u-root/uio/llog"

	"ghostlab/lab/store"
	"ghostlab/lab/toolchain"
)

// release is the u-root whose commands are built. mkuimage, which builds them,
// is in go.mod the version that its own go.mod asks for.
const release = "v0.16.0"

// Shell is the path of the shell in the guest, Path where the commands are.
const (
	Shell = "/bbin/gosh"
	Path  = "/bbin"
)

const file = "commands.cpio"

// lineEditor takes the shell without its own editor of lines: that one (bubbletea
// v0.24.1, standardRenderer.stop) waits for ever for its own timer when the console
// is slow, in one of ten commands here. The kernel's is left, without a history.
const lineEditor = "goshsmall"

// Archive returns the path of the archive, from the store or made now, which
// takes a minute where nothing has been compiled.
func Archive(ctx context.Context, st *store.Store) (string, error) {
	h := store.NewHasher("u-root 2")
	h.Add("release", release)
	h.Add("go", runtime.Version())
	dir, err := st.Ensure(ctx, "shells", h.Key(), func(ctx context.Context, staging string) error {
		source, err := toolchain.Source(ctx, "github.com/u-root/u-root@"+release)
		if err != nil {
			return err
		}
		tmp := filepath.Join(staging, "build")
		if err := os.Mkdir(tmp, 0o755); err != nil {
			return err
		}
		defer os.RemoveAll(tmp)
		err = uimage.Create(llog.New(slog.LevelError, func(string, ...any) {}),
			uimage.WithReplaceEnv(golang.Default(golang.WithGOOS("linux"), golang.WithGOARCH("arm64"), golang.DisableCGO(), golang.WithBuildTag(lineEditor), golang.WithWorkingDir(source))),
			uimage.WithBusyboxCommands("github.com/u-root/u-root/cmds/core/*"),
			uimage.WithSkipLDD(),
			uimage.WithTempDir(tmp),
			uimage.WithCPIOOutput(filepath.Join(staging, file)),
		)
		if err != nil {
			return fmt.Errorf("build u-root's commands: %w", err)
		}
		return nil
	})
	return filepath.Join(dir, file), err
}
