package kernels

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"os/exec"
	"strings"
)

// PatchError says that a patch does not fit a tree.
type PatchError struct {
	Patch, Tree, Output string
	// Series is the tree's, Lender the one that the patch is of where that is
	// another.
	Series, Lender string
}

func (e *PatchError) Error() string {
	return fmt.Sprintf("patch %s does not apply to %s:\n%s", e.Patch, e.Tree, e.Output)
}

// BadInput marks what the user can mend, see usage.IsBadInput.
func (*PatchError) BadInput() {}

// Hint says what to do about it.
func (e *PatchError) Hint() string {
	if e.Lender != "" {
		return fmt.Sprintf("it is that of %s, for want of one for %s: make it fit, and name it in kernels/%s.yaml", e.Lender, e.Series, e.Series)
	}
	return "is the tree patched already, or far from the series? a patch of your own goes into kernels/patches and the series' yaml"
}

// applyPatch checks that the whole patch applies without fuzz before it changes
// anything.
func applyPatch(ctx context.Context, s *Series, name, dir, tree string) error {
	text, err := fs.ReadFile(s.files, name)
	if err != nil {
		return err
	}
	for _, dry := range []string{"--dry-run", "--no-backup-if-mismatch"} {
		cmd := exec.CommandContext(ctx, "patch", "-p1", "--fuzz=0", "--forward", "--batch", dry)
		cmd.Dir, cmd.Stdin = dir, bytes.NewReader(text)
		if out, err := cmd.CombinedOutput(); err != nil {
			return &PatchError{Patch: name, Tree: tree, Output: failedHunks(out), Series: s.Series, Lender: s.Lender}
		}
	}
	return nil
}

// failedHunks keeps the lines that say what did not fit, with their files.
func failedHunks(out []byte) string {
	var keep []string
	file := ""
	for line := range strings.Lines(string(out)) {
		line = strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(line, "checking file"), strings.HasPrefix(line, "patching file"):
			file = line[strings.LastIndexByte(line, ' ')+1:]
		case strings.HasPrefix(line, "|--- a/"): // shown of a file that is not there
			keep = append(keep, "  "+strings.TrimPrefix(line, "|--- a/")+": no such file")
		case strings.Contains(line, "FAILED"), strings.Contains(line, "already"), strings.Contains(line, "previously applied"):
			keep = append(keep, fmt.Sprintf("  %s: %s", file, line))
		}
	}
	if keep == nil {
		return "  " + lastLine(out)
	}
	return strings.Join(keep, "\n")
}
