// Package vm runs one guest from power-on, or from a template's snapshot, to
// its end: it gives it a spec, hands on its messages, keeps its console and says
// how it ended. What a result means for a trial, and whether to try again, is
// decided in lab/runner.
package vm

import (
	"context"
	"fmt"
	"time"

	"ghostlab/initramfs/wire"
	"ghostlab/lab/qemu"
)

// Config describes a guest. All fields without a default are required.
type Config struct {
	// QEMU is the emulator, a path or a name to look up; Version is what it
	// calls itself.
	QEMU, Version string
	// CPU is QEMU's name of the model. Memory is in MiB.
	CPU           string
	VCPUs, Memory int
	// Kernel and Initramfs are the image's files.
	Kernel, Initramfs string
	KernelArgs        []string
	Engine            Engine
	// Fence, when set, is the plugin of lab/order. Guests have it whose vCPUs TCG runs
	// at the same time.
	Fence string
	// Template, when set, is the snapshot that the guest goes on from. It must
	// have been made with the same fields above. Nil boots.
	Template *Template
	Spec     wire.Spec
	// Dir keeps SpecName and LogName. It is created. Empty keeps neither.
	Dir string
	// Record, when set, is a file that gets a log of all that the guest is a
	// function of, with which OpenReplay can run it backwards. It needs the
	// deterministic engine and one vCPU. Such a guest goes on for a second of
	// its time after its last trial.
	Record string
	replay string // the log that the guest follows
	// BootLimit and Silence end a guest that has not become ready, or has sent
	// no message, for that long on the host's clock. A guest that the host gave
	// little processor time, or that does not tell how much, as macOS, gets up to
	// slowHost times as long, but not a QEMU that used none at all in the last
	// stillLimit, nor one that was stopped for stoppedLimit. Time in callbacks does
	// not count. Zero means DefaultBootLimit and no limit. A QEMU that leaves a
	// question of the lab's without an answer for BootLimit is given up.
	BootLimit, Silence time.Duration
	// Notice, when set, is told of a QEMU that stands still, and when it is given up.
	Notice func(text string)
	// Paused keeps the guest before its first instruction, for a debugger on its
	// gdb socket, and switches the limits off.
	Paused bool
	// Stay keeps a guest that has ended, stopped where it did, for a debugger that has
	// had it: one from its first instruction on (Paused) or one that Hold has kept. Run
	// then goes on until the debugger kills it or the context ends.
	Stay bool
	// About is for those who look at the guest from outside, see Guests.
	About About
	// Hold, when set, stops the guest where its program fails. Breakpoints move
	// the schedule of a deterministic guest.
	Hold *Hold
	// Terminal is for a guest that somebody types on, see Guest.Terminal; Share,
	// when set, is a folder of the host's that it gets to see. Spec.Console says
	// the rest.
	Terminal bool
	Share    string
	// Forward, when not 0, is a TCP port of the guest that the host's loopback
	// interface leads to, see Guest.Forwarded. Such a guest does not repeat.
	Forward int
	// Vmlinux, when set, names the functions on the stacks of a hung guest.
	Vmlinux string
	// Started, when set, is told of the command that runs the same guest by
	// hand, and of the gdb socket.
	Started func(byHand, gdbSocket string)
}

// Files of a guest's folder.
const (
	SpecName = "spec.txt"   // what it was told
	LogName  = "serial.log" // its console, with the host's time on each line
)

// DefaultBootLimit is 60 times what a boot takes here on a busy host (0.65 to 1 s).
const DefaultBootLimit = 60 * time.Second

// slowHost is by how much the limits stretch for a guest that waits for the
// host's processors.
const slowHost = 5

// Engine says how the guest's instructions are run. The zero value runs vCPUs in
// parallel by TCG.
type Engine struct {
	// Deterministic counts instructions, so that the guest's time is a
	// function of what it has done, on one thread of the host.
	Deterministic bool `json:"deterministic,omitempty"`
	// Shift makes an instruction take 2^Shift ns of the guest's time.
	Shift int `json:"shift,omitempty"`
	// SingleStep ends each translation block after one instruction.
	SingleStep bool `json:"single_step,omitempty"`
	// Accelerator runs a guest that is not deterministic. Empty means tcg.
	Accelerator string `json:"accelerator,omitempty"`
}

// board is the machine. Accelerators run the host's own processor and no other.
func (c Config) board() qemu.Machine {
	m := qemu.Machine{CPU: c.CPU, VCPUs: c.VCPUs, Memory: c.Memory}
	if a := c.Engine.Accelerator; !c.Engine.Deterministic && a != "" && a != "tcg" {
		m.CPU = "host"
	}
	return m
}

func (c Config) engine() qemu.Device {
	e := c.Engine
	if e.Deterministic {
		return qemu.Deterministic{Shift: e.Shift, SingleStep: e.SingleStep, Version: c.Version}
	}
	return qemu.Parallel{Accelerator: e.Accelerator, Alone: c.VCPUs == 1}
}

// fenced says whether the guest is one for the plugin. A snapshot is none of it: those
// that were made with and without it are the same.
func (c Config) fenced() bool {
	e := c.Engine
	return c.Fence != "" && !e.Deterministic && (e.Accelerator == "" || e.Accelerator == "tcg") && c.VCPUs > 1
}

// Run runs a guest to its end and hands each message to receive, in order. It
// returns a *BootError or an *InfraError where there is no result to speak of.
// When the context ends the guest does.
func Run(ctx context.Context, cfg Config, receive func(Message)) (*End, error) {
	g, err := Prepare(ctx, cfg)
	if err != nil {
		return nil, err
	}
	defer g.Close()
	return g.Run(ctx, receive)
}

// Prepare starts QEMU and brings the guest to where Run lets it go: before its
// first instruction, to its template's snapshot, or beyond that to the first
// instruction of its program. When the context ends the guest does. Call Close in
// the end.
func Prepare(ctx context.Context, cfg Config) (*Guest, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	g, err := start(ctx, cfg, "")
	if err == nil {
		err = g.position(ctx)
	}
	if ctx.Err() != nil {
		err = ctx.Err() // which has killed QEMU; what became of that is not the cause
	}
	if err == nil {
		return g, nil
	}
	if g != nil {
		g.Close()
	}
	return nil, err
}

// position brings a clone to its snapshot, or beyond.
func (g *Guest) position(ctx context.Context) error {
	if g.cfg.Template != nil {
		if err := g.load(ctx); err != nil {
			return err
		}
	}
	if g.holds() {
		return g.hold(ctx)
	}
	return nil
}

// hold runs a clone until its program is loaded.
func (g *Guest) hold(ctx context.Context) error {
	if err := g.run(); err != nil {
		return err
	}
	return g.awaitStop(ctx)
}

// Run lets the guest go and follows it to its end, see the function Run. It may
// be called once.
func (g *Guest) Run(ctx context.Context, receive func(Message)) (*End, error) {
	defer context.AfterFunc(ctx, g.proc.Kill)()
	err := g.letGo(ctx)
	if err == nil {
		err = g.register()
	}
	var end *End
	if err == nil {
		end, err = g.follow(ctx, receive)
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err == nil && g.cfg.Record != "" {
		if err := g.recorded(end); err != nil {
			return nil, err
		}
	}
	return end, err
}

func (g *Guest) letGo(ctx context.Context) error {
	if g.cfg.Hold == nil {
		return g.run()
	}
	g.started = time.Now()
	g.silence.heard(g.started, g.proc.CPUTime())
	return g.runWatched(ctx)
}

// run is the last that QEMU hears from the lab before the guest ends: whatever
// wakes its main loop could move a deterministic guest's interrupts.
func (g *Guest) run() error {
	g.started = time.Now()
	g.silence.heard(g.started, g.proc.CPUTime())
	if g.cfg.Paused {
		return nil
	}
	if err := g.command("cont", nil, nil); err != nil {
		return g.notStarted(fmt.Errorf("start the guest: %w", err))
	}
	return nil
}
