package toolchain

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Install builds a command of another module, such as
// "github.com/go-delve/delve/cmd/dlv@v1.25.2", for the guest with that Go
// version and moves it to out. The go command checks the module's sources. The
// error is a *CompileError where that fails.
func Install(ctx context.Context, version, command, out string) error {
	cache, err := ModCache(ctx)
	if err != nil {
		return err
	}
	// A cross-compiled command goes to a folder of GOPATH, named by none.
	path, err := os.MkdirTemp(filepath.Dir(out), "install-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(path)
	cmd := exec.CommandContext(ctx, "go", "install", "-trimpath", "-ldflags", "-s -w -buildid=", command)
	cmd.Dir = path
	cmd.Env = environ(version, append(alone, "CGO_ENABLED=0", "GOOS=linux", "GOARCH=arm64", "GOBIN=", "GOPATH="+path, "GOMODCACHE="+cache)...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return &CompileError{Package: command, Dir: "its module", Go: version, Output: strings.TrimSpace(stderr.String()), err: err}
	}
	name, _, _ := strings.Cut(filepath.Base(command), "@")
	// On an arm64 host it is not a cross-compiled one.
	if err = os.Rename(filepath.Join(path, "bin", "linux_arm64", name), out); errors.Is(err, fs.ErrNotExist) {
		err = os.Rename(filepath.Join(path, "bin", name), out)
	}
	return err
}

// Minor returns the y of a Go version 1.y, of the Go that built lab where
// version is empty.
func Minor(version string) int {
	var minor int
	if _, err := fmt.Sscanf(strings.TrimPrefix(releaseName(version), "go"), "1.%d", &minor); err != nil {
		return 0
	}
	return minor
}

// Source returns the folder with the sources of a module, such as
// "github.com/u-root/u-root@v0.16.0", which the go command fetches and checks.
func Source(ctx context.Context, module string) (string, error) {
	text, err := query(ctx, "", os.TempDir(), "mod", "download", "-json", module)
	if err != nil {
		return "", err
	}
	var m struct{ Dir string }
	if err := json.Unmarshal([]byte(text), &m); err != nil {
		return "", fmt.Errorf("go mod download %s: %w", module, err)
	}
	return m.Dir, nil
}
