// Package toolchain compiles Go programs for the guest with a Go version of the
// researcher's choice. The go command fetches that version as a module and
// checks it against the checksum database; there is no download code here.
package toolchain

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"syscall"
)

// Build says what to compile. Dir, Package and Out are required.
type Build struct {
	// Go is a version such as "1.21.6"; empty means the one lab was built with.
	Go string
	// Dir is a folder of the program's module, Package a package pattern there.
	Dir, Package string
	// Arch is a GOARCH; empty means arm64.
	Arch string
	// InPlace lets the workspace and the GOFLAGS hold that the go command finds
	// in Dir. Else the module is alone with what it requires.
	InPlace bool
	// Tests compiles the package's tests in the place of its main function.
	Tests bool
	// CC is the C compiler, for programs that need one. Empty means that there
	// is none: no cgo, no race detector.
	CC   string
	Race bool
	// Tags are build tags, with commas between them.
	Tags string
	// NoOptimize is for debuggers.
	NoOptimize bool
	// LDFlags are passed to the linker.
	LDFlags string
	// Out is the file to write.
	Out string
}

// Compile builds a static program. The same sources give the same bytes
// whatever the folder. A program that does not compile is a *CompileError; a
// full disk is not the program's fault, and is a syscall.ENOSPC.
func Compile(ctx context.Context, b Build) error {
	if err := CheckPackage(b.Package); err != nil {
		return err
	}
	out, err := filepath.Abs(b.Out)
	if err != nil {
		return err
	}
	args := []string{"build"}
	if b.Tests {
		args = []string{"test", "-c"}
	}
	ldflags := b.LDFlags
	if b.CC != "" {
		// The guest has no libraries.
		ldflags += " -linkmode external -extldflags -static"
	}
	args = append(args, "-trimpath", "-buildvcs=false", "-ldflags", ldflags, "-o", out)
	args = append(args, b.flags()...)
	if !b.Tests {
		args = append(args, "--") // which go test gives to the tests
	}
	args = append(args, b.Package)
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = b.Dir
	cmd.Env = b.environ()
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		said := strings.TrimSpace(stderr.String())
		if full := syscall.ENOSPC; strings.Contains(said, full.Error()) {
			return fmt.Errorf("compile %s in %s: %w:\n%s", b.Package, b.Dir, full, said)
		}
		return &CompileError{Package: b.Package, Dir: b.Dir, Go: b.Go, Output: said, err: err}
	}
	return nil
}

func (b Build) flags() []string {
	var flags []string
	if b.Race {
		flags = append(flags, "-race")
	}
	if b.Tags != "" {
		flags = append(flags, "-tags", b.Tags)
	}
	if b.NoOptimize {
		flags = append(flags, "-gcflags=all=-N -l")
	}
	return flags
}

func (b Build) environ() []string {
	arch := b.Arch
	if arch == "" {
		arch = "arm64"
	}
	extra := []string{"GOOS=linux", "GOARCH=" + arch, "CGO_ENABLED=0"}
	if b.CC != "" {
		extra = append(extra, "CGO_ENABLED=1", "CC="+b.CC)
	}
	if !b.InPlace {
		extra = append(extra, alone...)
	}
	return environ(b.Go, extra...)
}

// CheckPackage refuses a package pattern that the go command would take for one of its
// flags.
func CheckPackage(pattern string) error {
	if strings.HasPrefix(pattern, "-") {
		return fmt.Errorf("want a package, got %q", pattern)
	}
	return nil
}

// GOROOT returns the folder of the toolchain, for its sources.
func GOROOT(ctx context.Context, version string) (string, error) {
	// No go.mod there may ask for another version.
	return query(ctx, version, os.TempDir(), "env", "GOROOT")
}

// ModCache returns the folder in which the go command keeps modules, for their
// sources.
func ModCache(ctx context.Context) (string, error) {
	return query(ctx, "", os.TempDir(), "env", "GOMODCACHE")
}

func query(ctx context.Context, version, dir string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = dir
	cmd.Env = environ(version, alone...)
	out, err := cmd.Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			err = errors.New(strings.TrimSpace(string(exit.Stderr)))
		}
		return "", fmt.Errorf("go toolchain %s: %w", version, err)
	}
	return strings.TrimSpace(string(out)), nil
}

// alone is an environment in which settings of the user's that change what is
// compiled do not hold. An empty variable would be looked up in the file that `go env
// -w` writes, so those have values that change nothing; the experiments have none.
var alone = []string{"GOWORK=off", "GOFLAGS=-trimpath", "GOARM64=v8.0", "GOEXPERIMENT="}

func environ(version string, extra ...string) []string {
	name := releaseName(version)
	if i := strings.IndexByte(name, ' '); i >= 0 || strings.HasPrefix(name, "devel") {
		name = "local" // a Go of the researcher's own making has no module
	}
	return append(append(os.Environ(), "GOTOOLCHAIN="+name), extra...)
}

// releaseName is "go1.21.6", what built lab where version is empty.
func releaseName(version string) string {
	if version == "" {
		return runtime.Version()
	}
	return "go" + version
}

// VersionPattern is the regular expression of what CheckVersion takes.
const VersionPattern = `^1\.[0-9]+(\.[0-9]+)?((rc|beta)[0-9]+)?$`

var versionPattern = regexp.MustCompile(VersionPattern)

// CheckVersion says whether s names a Go release, such as "1.21.6". Releases
// before 1.21 do not come as modules.
func CheckVersion(s string) error {
	if !versionPattern.MatchString(s) {
		return fmt.Errorf("want a Go release such as 1.21.6, got %q", s)
	}
	return nil
}

// CompileError is what the compiler said of a program.
type CompileError struct {
	Package, Dir, Go string
	Output           string
	err              error
}

func (e *CompileError) Error() string {
	version := e.Go
	if version == "" {
		version = strings.TrimPrefix(runtime.Version(), "go")
	}
	return fmt.Sprintf("compile %s in %s with Go %s:\n%s", e.Package, e.Dir, version, e.Output)
}

// BadInput marks what the user can mend, see usage.IsBadInput.
func (*CompileError) BadInput() {}

func (e *CompileError) Unwrap() error { return e.err }

// Hint says what to do about it.
func (e *CompileError) Hint() string {
	switch {
	case errors.Is(e.err, exec.ErrNotFound):
		return "install Go 1.21 or newer (`lab doctor` names the command)"
	case strings.Contains(e.Output, "download go") || strings.Contains(e.Output, "toolchain not available"):
		return "that toolchain could not be had: is it a release since 1.21, and can the Go module proxy be reached?"
	case strings.Contains(e.Output, "requires go >= "):
		return "the module, or one that it needs, is for a newer Go: name another release with --go"
	case strings.Contains(e.Output, "cannot find -l"):
		return "static C libraries for arm64 are missing (`lab doctor` names the package)"
	case strings.Contains(e.Output, "build constraints exclude all Go files"):
		return "it must have files for GOOS=linux GOARCH=arm64, and without --cgo some that do not import \"C\""
	default:
		return "it must build with GOOS=linux GOARCH=arm64 and this Go version, and without --cgo with CGO_ENABLED=0"
	}
}
