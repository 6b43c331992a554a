package toolchain

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"strings"
)

// Package is what the go command knows of a package.
type Package struct {
	// ImportPath is its name, and that of the main package's folder.
	ImportPath string
	// Name is what its files say, "main" for a program.
	Name string
	// Dir is its folder, absolute.
	Dir string
	// TestGoFiles and XTestGoFiles are its tests' files, inside the package and
	// beside it.
	TestGoFiles, XTestGoFiles []string
	// Module is nil for a package of the standard library.
	Module *struct {
		Path string
		// Dir is absolute.
		Dir string
	}
}

// HasTests says whether go test would find a test file.
func (p *Package) HasTests() bool { return len(p.TestGoFiles)+len(p.XTestGoFiles) > 0 }

// Root is the folder of the module, or that of the package where it has none.
func (p *Package) Root() string {
	if p.Module != nil {
		return p.Module.Dir
	}
	return p.Dir
}

// Find returns the one package that the build's pattern matches. What the go
// command has to say against it is a *CompileError, and more than one package a
// *ManyError.
func Find(ctx context.Context, b Build) (*Package, error) {
	if err := CheckPackage(b.Package); err != nil {
		return nil, err
	}
	args := append([]string{"list", "-find", "-json=ImportPath,Name,Dir,TestGoFiles,XTestGoFiles,Module"}, b.flags()...)
	cmd := exec.CommandContext(ctx, "go", append(args, "--", b.Package)...)
	cmd.Dir = b.Dir
	cmd.Env = b.environ()
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, &CompileError{Package: b.Package, Dir: b.Dir, Go: b.Go, Output: strings.TrimSpace(stderr.String()), err: err}
	}
	var all []*Package
	for dec := json.NewDecoder(&stdout); dec.More(); {
		p := &Package{}
		if err := dec.Decode(p); err != nil {
			return nil, fmt.Errorf("go list %s: %w", b.Package, err)
		}
		all = append(all, p)
	}
	switch len(all) {
	case 0:
		return nil, &CompileError{Package: b.Package, Dir: b.Dir, Go: b.Go, Output: strings.TrimSpace(stderr.String()), err: errors.New("no package")}
	case 1:
		return all[0], nil
	}
	many := &ManyError{Pattern: b.Package}
	for _, p := range all {
		many.Packages = append(many.Packages, p.ImportPath)
	}
	return nil, many
}

// ManyError says that a pattern matches several packages.
type ManyError struct {
	Pattern string
	// Packages are their import paths.
	Packages []string
}

func (e *ManyError) Error() string {
	return fmt.Sprintf("%s matches %d packages, want one", e.Pattern, len(e.Packages))
}

// BadInput marks what the user can mend, see usage.IsBadInput.
func (*ManyError) BadInput() {}

// Hint says what to do about it.
func (e *ManyError) Hint() string {
	const most = 8
	names := e.Packages
	if len(names) > most {
		names = append(names[:most:most], fmt.Sprintf("and %d more", len(e.Packages)-most))
	}
	return "name one of them:\n" + strings.Join(names, "\n")
}

// Own returns the release that the go command uses in dir, such as "1.24.6".
func Own(ctx context.Context, dir string) (string, error) {
	cmd := exec.CommandContext(ctx, "go", "env", "GOVERSION")
	cmd.Dir = dir
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", &CompileError{Package: ".", Dir: dir, Output: strings.TrimSpace(stderr.String()), err: err}
	}
	version := strings.TrimPrefix(strings.TrimSpace(string(out)), "go")
	// A release of a vendor's has a word after its number.
	version, _, _ = strings.Cut(version, " ")
	version, _, _ = strings.Cut(version, "-")
	return version, CheckVersion(version)
}
