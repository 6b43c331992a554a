package toolchain

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Ask returns what `go env` says of these variables. The go command fetches no other
// toolchain to answer, whatever a go.mod asks for, and, but on macOS, keeps no count of
// having been asked.
func Ask(ctx context.Context, names ...string) ([]string, error) {
	cmd := exec.CommandContext(ctx, "go", append([]string{"env"}, names...)...)
	cmd.Dir, cmd.Env = os.TempDir(), append(os.Environ(), "GOTOOLCHAIN=local")
	if dir, err := os.UserConfigDir(); err == nil {
		// Its telemetry is counted there. The settings of `go env -w` are there too.
		cmd.Env = append(cmd.Env, "XDG_CONFIG_HOME="+os.DevNull)
		if os.Getenv("GOENV") == "" {
			cmd.Env = append(cmd.Env, "GOENV="+filepath.Join(dir, "go", "env"))
		}
	}
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go env: %w", err)
	}
	values := strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
	if len(values) != len(names) {
		return nil, fmt.Errorf("go env: want %d lines, got %q", len(names), out)
	}
	return values, nil
}

// Installed says whether a Go release is on this host, so that no download is
// needed to compile with it.
func Installed(ctx context.Context, version string) (bool, error) {
	env, err := Ask(ctx, "GOVERSION", "GOMODCACHE", "GOHOSTOS", "GOHOSTARCH")
	if err != nil {
		return false, err
	}
	if env[0] == "go"+version {
		return true, nil
	}
	// The module that the go command keeps a toolchain as.
	_, err = os.Stat(filepath.Join(env[1], "golang.org", fmt.Sprintf("toolchain@v0.0.1-go%s.%s-%s", version, env[2], env[3]), "bin", "go"))
	return err == nil, nil
}
