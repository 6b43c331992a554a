// Package vm runs one guest from power-on to its end: it gives it a spec, hands
// on its messages, keeps its console and says how it ended. What a result means
// for a trial, and whether to try again, is decided in lab/runner.
package vm

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"syscall"
	"time"

	"ghostlab/initramfs/wire"
	"ghostlab/lab/qemu"
)

// Config describes a guest. All fields without a default are required.
type Config struct {
	// QEMU is the emulator, a path or a name to look up.
	QEMU string
	// CPU is QEMU's name of the model. Memory is in MiB.
	CPU           string
	VCPUs, Memory int
	// Kernel and Initramfs are the image's files.
	Kernel, Initramfs string
	KernelArgs        []string
	Spec              wire.Spec
	// Dir keeps spec.json and serial.log. It is created.
	Dir string
	// BootLimit and Silence end a guest that has not become ready, or has sent
	// no message, for that long on the host's clock. Zero means DefaultBootLimit
	// and no limit.
	BootLimit, Silence time.Duration
	// GDB makes the gdb stub listen on GDBSocket; Paused keeps the guest before
	// its first instruction and switches the limits off.
	GDB, Paused bool
	// Started, when set, is told of the command that runs the same guest by
	// hand, and of the gdb socket.
	Started func(byHand, gdbSocket string)
}

// DefaultBootLimit is 60 times what a boot takes here on a busy host (0.65 to 1 s).
const DefaultBootLimit = 60 * time.Second

// poll is how often the mailbox and the console are looked at: often enough
// for progress to look alive, and 0.1 % of a core (pidstat, 7.2, two vCPUs).
const poll = 5 * time.Millisecond

// Run runs a guest to its end and hands each message to receive, in order. It
// returns a *BootError or an *InfraError where there is no result to speak of.
// When the context ends the guest does.
func Run(ctx context.Context, cfg Config, receive func(wire.Message)) (*End, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	g, err := start(cfg)
	if err != nil {
		return nil, err
	}
	defer g.close()
	end, err := g.follow(ctx, receive)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	return end, err
}

// guest is a running VM.
type guest struct {
	cfg     Config
	dir     *rundir
	proc    *qemu.Process
	mon     *qemu.Monitor
	console *console
	box     *wire.Mailbox
	mem     []byte
	started time.Time

	release string
	failed  string // init's own words
	heard   time.Time
}

func start(cfg Config) (*guest, error) {
	if cfg.BootLimit == 0 {
		cfg.BootLimit = DefaultBootLimit
	}
	if err := os.MkdirAll(cfg.Dir, 0o755); err != nil {
		return nil, err
	}
	spec, err := cfg.Spec.Encode()
	if err != nil {
		return nil, err
	}
	specFile, err := filepath.Abs(filepath.Join(cfg.Dir, "spec.json"))
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(specFile, spec, 0o644); err != nil {
		return nil, err
	}
	dir, err := newRundir()
	if err != nil {
		return nil, err
	}
	g := &guest{cfg: cfg, dir: dir}
	if err := g.power(specFile); err != nil {
		g.close()
		return nil, err
	}
	return g, nil
}

// power makes the host's side of the devices and starts QEMU.
func (g *guest) power(specFile string) (err error) {
	if g.mem, err = createShared(g.dir.file("mailbox"), wire.MailboxSize); err != nil {
		return fmt.Errorf("make mailbox: %w", err)
	}
	g.box = wire.NewMailbox(g.mem)
	if g.console, err = openConsole(g.dir.file("console"), filepath.Join(g.cfg.Dir, "serial.log")); err != nil {
		return err
	}
	cmd := g.command(specFile)
	if g.proc, err = qemu.Start(cmd.Argv()); err != nil {
		return err
	}
	g.started = time.Now()
	g.heard = g.started
	if g.cfg.Started != nil {
		g.cfg.Started(cmd.ByHand(), g.dir.file("gdb"))
	}
	return nil
}

func (g *guest) command(specFile string) qemu.Command {
	cfg := g.cfg
	devices := []qemu.Device{
		qemu.Machine{CPU: cfg.CPU, VCPUs: cfg.VCPUs, Memory: cfg.Memory},
		qemu.Accelerator{},
		qemu.Kernel{Image: cfg.Kernel, Initramfs: cfg.Initramfs, Extra: cfg.KernelArgs},
		qemu.Console{File: g.dir.file("console")},
		qemu.FwCfg{Name: wire.SpecFile, File: specFile},
		qemu.Shared{File: g.dir.file("mailbox"), Size: wire.MailboxSize},
		qemu.QMP{Socket: g.dir.file("qmp")},
	}
	if cfg.GDB || cfg.Paused {
		devices = append(devices, qemu.GDB{Socket: g.dir.file("gdb"), Paused: cfg.Paused})
	}
	return qemu.Command{Binary: cfg.QEMU, Devices: devices}
}

func (g *guest) close() {
	if g.proc != nil {
		g.proc.Kill()
	}
	if g.mon != nil {
		g.mon.Disconnect()
	}
	if g.console != nil {
		g.console.close()
	}
	if g.mem != nil {
		syscall.Munmap(g.mem)
	}
	g.dir.remove()
}

// follow watches the guest until it ends.
func (g *guest) follow(ctx context.Context, receive func(wire.Message)) (*End, error) {
	why := g.watchShutdown(ctx)
	tick := time.NewTicker(poll)
	defer tick.Stop()
	for {
		ended := false
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-g.proc.Done():
			ended = true
		case <-tick.C:
		}
		if err := g.look(receive); err != nil {
			return nil, err
		}
		if ended {
			return g.verdict(<-why)
		}
		if reason := g.overdue(); reason != 0 {
			return g.ended(reason)
		}
	}
}

// look hands on what the guest has said since the last time.
func (g *guest) look(receive func(wire.Message)) error {
	if err := g.console.follow(); err != nil {
		return &InfraError{What: "console", Err: err}
	}
	msgs, err := g.box.Receive()
	for _, m := range msgs {
		g.heard = time.Now()
		switch m.Kind {
		case wire.Ready:
			g.release = m.Release
		case wire.Failed:
			g.failed = m.Error
		}
		receive(m)
	}
	if err != nil {
		return &InfraError{What: "mailbox", Err: err}
	}
	return nil
}

func (g *guest) overdue() Reason {
	silent := time.Since(g.heard)
	switch {
	case g.console.flooded():
		return Flooded
	case g.cfg.Paused:
		return 0
	case g.release == "" && silent > g.cfg.BootLimit:
		return Hung
	case g.release != "" && g.cfg.Silence > 0 && silent > g.cfg.Silence:
		return Hung
	}
	return 0
}

// panicLine matches the kernel's own line, with its time stamp.
var panicLine = regexp.MustCompile(`(?m)^\[ *[0-9]+\.[0-9]+\](?:\[ *[TC][0-9]+\])? Kernel panic - not syncing: (.*?)\r?$`)

// verdict judges a guest whose QEMU has ended. why is QMP's reason.
func (g *guest) verdict(why string) (*End, error) {
	if err := g.proc.Wait(); err != nil {
		if g.release == "" {
			return nil, &BootError{Stage: "qemu ended", Err: err, Console: g.lastLines()}
		}
		return nil, &InfraError{What: "qemu ended under the guest", Err: err}
	}
	switch {
	case endsInPanic(g.console.end(consoleKeep)):
		return g.ended(Panicked)
	case why == "guest-reset":
		return g.ended(Reset)
	}
	return g.ended(PoweredOff)
}

// endsInPanic says whether the kernel panicked. A program can print the same
// line, but then init goes on to say how its trial ended.
func endsInPanic(console []byte) bool {
	all := panicLine.FindAllIndex(console, -1)
	if len(all) == 0 {
		return false
	}
	return !bytes.Contains(console[all[len(all)-1][1]:], []byte("\nlab: trial "))
}

// consoleKeep is how much of the console's end goes into End.
const consoleKeep = 256 << 10

func (g *guest) ended(reason Reason) (*End, error) {
	if g.failed != "" {
		return nil, &BootError{Stage: "init gave up", Err: errors.New(g.failed)}
	}
	if g.release == "" {
		return nil, &BootError{Stage: "the guest ended before its init was ready (" + reason.String() + ")", Console: g.lastLines()}
	}
	return &End{Reason: reason, Release: g.release, Console: g.console.end(consoleKeep), Took: time.Since(g.started)}, nil
}

func (g *guest) lastLines() string { return lastLines(g.console.end(2<<10), 12) }

// createShared makes a sparse file of the given size and maps it.
func createShared(path string, size int) ([]byte, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if err := f.Truncate(int64(size)); err != nil {
		return nil, err
	}
	return syscall.Mmap(int(f.Fd()), 0, size, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED)
}
