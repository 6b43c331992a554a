package vm

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"time"
)

// stacksLimit is how long gdb may look at a hung guest: it reads the symbols of
// a kernel, 2 s on a busy host.
const stacksLimit = time.Minute

// stacks returns what each vCPU of a hung guest is doing: gdb's back traces
// where there are a gdb and a vmlinux, and the registers in any case.
func (g *Guest) stacks() []byte {
	var out bytes.Buffer
	monitor := func(line string) string {
		var said string
		if err := g.command("human-monitor-command", map[string]any{"command-line": line}, &said); err != nil {
			return err.Error()
		}
		return said
	}
	if err := g.command("stop", nil, nil); err != nil {
		return fmt.Appendf(nil, "stop the guest: %v\n", err)
	}
	if g.cfg.Vmlinux != "" {
		socket := g.dir.file("gdb")
		if !g.cfg.GDB {
			fmt.Fprint(&out, monitor("gdbserver unix:"+socket+",server=on,wait=off"))
		}
		out.Write(backtraces(g.cfg.Vmlinux, socket))
	}
	fmt.Fprintf(&out, "\n%s", monitor("info registers -a"))
	return out.Bytes()
}

func backtraces(vmlinux, socket string) []byte {
	ctx, cancel := context.WithTimeout(context.Background(), stacksLimit)
	defer cancel()
	for _, gdb := range []string{"gdb-multiarch", "gdb"} {
		if _, err := exec.LookPath(gdb); err != nil {
			continue
		}
		cmd := exec.CommandContext(ctx, gdb, "-nx", "-batch", "-q", "-ex", "set pagination off",
			"-ex", "set architecture aarch64", "-ex", "target remote "+socket,
			"-ex", "thread apply all backtrace 40", "-ex", "detach", vmlinux)
		out, err := cmd.CombinedOutput()
		if err != nil {
			out = fmt.Appendf(out, "%s: %v\n", gdb, err)
		}
		return out
	}
	return []byte("no gdb here: only registers (`lab doctor` names the command that installs it)\n")
}
