package vm

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"time"

	"ghostlab/gdb"
)

// stacksLimit is how long gdb may look at a hung guest: it reads the symbols of
// a kernel, 2 s on a busy host.
const stacksLimit = time.Minute

// stillPatience is how long a QEMU that has used no processor time for stillLimit may
// take to answer.
const stillPatience = 10 * time.Second

// stacks stops a hung guest and returns what each vCPU is doing: gdb's back traces
// where there are a gdb and a vmlinux, and the registers in any case. Where QEMU
// does not answer either, it is not the guest that hangs.
func (g *Guest) stacks(ctx context.Context) ([]byte, error) {
	var out bytes.Buffer
	still := g.silence.why(g.proc.PID())
	if still != nil {
		g.mon.Patience = min(g.mon.Patience, stillPatience)
	}
	if err := g.command("stop", nil, nil); err != nil {
		what := fmt.Sprintf("neither the guest nor qemu answers, after %v of silence", g.silence.silent.Round(time.Second))
		if still != nil {
			what += ", and " + still.Error()
		}
		return nil, &InfraError{What: what, Err: err}
	}
	if g.cfg.Vmlinux != "" {
		socket := g.dir.file("gdb")
		out.Write(backtraces(ctx, g.cfg.Vmlinux, socket))
	}
	fmt.Fprintf(&out, "\n%s", g.monitor("info registers -a"))
	return out.Bytes(), nil
}

func backtraces(ctx context.Context, vmlinux, socket string) []byte {
	ctx, cancel := context.WithTimeout(ctx, stacksLimit)
	defer cancel()
	name, err := gdb.Find()
	if err != nil {
		return fmt.Appendf(nil, "%v: only registers (`lab doctor` names the command that installs it)\n", err)
	}
	out, err := exec.CommandContext(ctx, name, "-nx", "-batch", "-q", "-ex", "set pagination off",
		"-ex", "set architecture aarch64", "-ex", "target remote "+socket,
		"-ex", "thread apply all backtrace 40", "-ex", "detach", vmlinux).CombinedOutput()
	if err != nil {
		out = fmt.Appendf(out, "%s: %v\n", name, err)
	}
	return out
}
