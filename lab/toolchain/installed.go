package toolchain

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Installed says whether a Go release is on this host, so that no download is
// needed to compile with it.
func Installed(ctx context.Context, version string) (bool, error) {
	// The go command there is must not fetch another to answer.
	cmd := exec.CommandContext(ctx, "go", "env", "GOVERSION", "GOMODCACHE", "GOHOSTOS", "GOHOSTARCH")
	cmd.Dir, cmd.Env = os.TempDir(), append(os.Environ(), "GOTOOLCHAIN=local")
	out, err := cmd.Output()
	if err != nil {
		return false, fmt.Errorf("go env: %w", err)
	}
	env := strings.Split(strings.TrimSpace(string(out)), "\n")
	if len(env) != 4 {
		return false, fmt.Errorf("go env: want four lines, got %q", out)
	}
	if env[0] == "go"+version {
		return true, nil
	}
	// The module that the go command keeps a toolchain as.
	_, err = os.Stat(filepath.Join(env[1], "golang.org", fmt.Sprintf("toolchain@v0.0.1-go%s.%s-%s", version, env[2], env[3]), "bin", "go"))
	return err == nil, nil
}
