package toolchain

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"strings"
)

// Folders are where the packages of a program are on this host, by the names that
// Compile gives their folders in the program (-trimpath): the import path, with
// the module's version where it has one. standard are those of Go's own library.
// Modules, workspaces, replaced and vendored ones are as the go command has them.
func Folders(ctx context.Context, b Build) (folders map[string]string, standard map[string]bool, err error) {
	args := []string{"list", "-e", "-deps", "-json=ImportPath,Dir,Standard,Module"}
	if b.Tests {
		args = append(args, "-test")
	}
	cmd := exec.CommandContext(ctx, "go", append(append(args, b.flags()...), "--", b.Package)...)
	cmd.Dir = b.Dir
	cmd.Env = b.environ()
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return nil, nil, &CompileError{Package: b.Package, Dir: b.Dir, Go: b.Go, Output: strings.TrimSpace(stderr.String()), err: err}
	}
	folders, standard = map[string]string{}, map[string]bool{}
	for dec := json.NewDecoder(&stdout); dec.More(); {
		var p struct {
			ImportPath, Dir string
			Standard        bool
			Module          *struct{ Path, Version string }
		}
		if err := dec.Decode(&p); err != nil {
			return nil, nil, fmt.Errorf("go list %s: %w", b.Package, err)
		}
		// A package that is compiled anew for a test has that behind its name.
		name, _, _ := strings.Cut(p.ImportPath, " ")
		if m := p.Module; m != nil && m.Version != "" {
			name = m.Path + "@" + m.Version + strings.TrimPrefix(name, m.Path)
		}
		if p.Dir == "" || folders[name] != "" {
			continue
		}
		folders[name] = p.Dir
		if p.Standard {
			standard[name] = true
		}
	}
	return folders, standard, nil
}
