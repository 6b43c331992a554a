package qemu

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
)

// Plugin is code of the lab's that the translator runs, see docs/devel/tcg-plugins of
// QEMU.
type Plugin struct {
	noKernelArgs
	File string // a shared object
}

func (p Plugin) Args() []string { return []string{"-plugin", "file=" + escape(p.File)} }

// TakesPlugins returns nil where the emulator was built with plugins.
func TakesPlugins(ctx context.Context, binary string) error {
	// A build without them ends at the option; others do not load the file before
	// they have said their version and ended.
	cmd, done := ask(ctx, binary, "-plugin", "file=none", "-version")
	defer done()
	out, err := cmd.CombinedOutput()
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, exec.ErrNotFound):
		return &NotFoundError{Binary: binary}
	}
	line, _, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
	return fmt.Errorf("this QEMU takes no plugins: %s", line)
}

// PluginInterface is the version of the plugins' interface to declare to an emulator
// of that version. It is 3, which QEMU has since 9.1, where the version says nothing.
func PluginInterface(version string) int {
	number, _, _ := strings.Cut(version, " ")
	parts := strings.SplitN(number, ".", 3)
	if len(parts) < 2 {
		return 3
	}
	major, err := strconv.Atoi(parts[0])
	minor, err2 := strconv.Atoi(parts[1])
	switch {
	case errors.Join(err, err2) != nil:
		return 3
	case major < 9: // QEMU_PLUGIN_VERSION 1 or less; 9.0 takes none below 2
		return 1
	case major == 9 && minor == 0:
		return 2
	}
	return 3 // 9.1 changed qemu_plugin_insn_data; 10.2 has 5 and takes all since 2
}
