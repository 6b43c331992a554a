package vm

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/digitalocean/go-qemu/qmp"

	"ghostlab/initramfs/wire"
	"ghostlab/lab/qemu"
)

// Guest is a VM that has been prepared.
type Guest struct {
	cfg    Config
	dir    *rundir
	proc   *qemu.Process
	mon    *qemu.Monitor
	events <-chan qmp.Event
	// unlisten ends the stream of events that nobody reads any more, unleash
	// the wait for the context that the guest ends with.
	unlisten context.CancelFunc
	unleash  func() bool
	console  *console
	// mapped is held by whoever touches the mailbox: a window may change its size
	// when the guest has gone, and mem is nil then.
	mapped sync.Mutex
	box    *wire.Mailbox
	mem    []byte
	// snapshot is the folder of a template that is being made, else empty.
	snapshot string
	// snapshots is the file for a replay's, spill the folder on the disk that it is in
	// where the guest's own has no room, else nil.
	snapshots string
	spill     *rundir

	dialogue dialogue
	kept     *Message     // a trial's end, until the guest's next word
	shown    bool         // a debugger has had it
	held     string       // why it is stopped, see Live
	stopped  bool         // by a debugger
	cpu      int          // the one that has stopped it, from 1
	failing  chan failure // nil with no Hold

	born    time.Time // when QEMU was started
	started time.Time // when the guest was let go
	release string
	failed  string // init's own words
	silence watchdog
}

// start starts QEMU with the guest stopped, and connects to it.
func start(ctx context.Context, cfg Config, snapshot string) (*Guest, error) {
	if cfg.BootLimit == 0 {
		cfg.BootLimit = DefaultBootLimit
	}
	dir, err := newRundir()
	if err != nil {
		return nil, err
	}
	if cfg.Dir == "" {
		cfg.Dir = dir.path
	}
	g := &Guest{cfg: cfg, dir: dir, snapshot: snapshot, born: time.Now(), shown: cfg.Paused}
	if err = g.power(); err == nil {
		// Whoever waits for QEMU's answer then gets an error.
		g.unleash = context.AfterFunc(ctx, g.proc.Kill)
		err = g.connect(ctx)
	}
	if err != nil {
		g.Close()
		return nil, err
	}
	return g, nil
}

// power makes the host's side of the devices and starts QEMU.
func (g *Guest) power() (err error) {
	spec, byHand, err := g.writeSpec()
	if err != nil {
		return err
	}
	if g.mem, err = createShared(g.dir.file("mailbox"), wire.MailboxSize); err != nil {
		return fmt.Errorf("make mailbox: %w", err)
	}
	g.box = wire.NewMailbox(g.mem)
	if err := g.prepareReplay(); err != nil {
		return err
	}
	if g.console, err = openConsole(g.dir.file("console"), filepath.Join(g.cfg.Dir, LogName)); err != nil {
		return err
	}
	if g.proc, err = qemu.Start(g.machine(spec, g.cfg.Template == nil).Argv()); err != nil {
		return err
	}
	if g.cfg.Started != nil {
		g.cfg.Started(g.machine(byHand, true).ByHand(), g.dir.file("gdb"))
	}
	return nil
}

// writeSpec writes the spec as it is, for people, and as the guest reads it.
func (g *Guest) writeSpec() (forGuest, byHand string, err error) {
	if err := os.MkdirAll(g.cfg.Dir, 0o755); err != nil {
		return "", "", err
	}
	if byHand, err = filepath.Abs(filepath.Join(g.cfg.Dir, SpecName)); err != nil {
		return "", "", err
	}
	var spec []byte
	if g.snapshot == "" {
		spec = g.cfg.Spec.Encode()
		if err := os.WriteFile(byHand, spec, 0o644); err != nil {
			return "", "", err
		}
		if g.cfg.Template == nil {
			return byHand, byHand, nil
		}
	}
	if g.holds() {
		held := g.cfg.Spec
		held.Hold = true
		spec = held.Encode()
	}
	if spec, err = wire.Pad(spec); err != nil {
		return "", "", err
	}
	forGuest = g.dir.file("spec")
	return forGuest, byHand, os.WriteFile(forGuest, spec, 0o600)
}

// machine is the guest's whole command line. A clone does not boot: it has its
// kernel in its memory, and reading it again would be a fifth of its start.
func (g *Guest) machine(specFile string, boots bool) qemu.Command {
	cfg := g.cfg
	devices := []qemu.Device{
		cfg.board(),
		cfg.engine(),
		g.serial(),
		qemu.FwCfg{Name: wire.SpecFile, File: specFile},
		qemu.Shared{File: g.dir.file("mailbox"), Size: wire.MailboxSize, Private: cfg.replay != ""},
		qemu.PanicDevice{OnWrite: g.onPanic()},
		qemu.QMP{Socket: g.dir.file("qmp")},
		qemu.Stopped{Incoming: cfg.Template != nil},
	}
	devices = append(devices, g.recording()...)
	if cfg.fenced() {
		devices = append(devices, qemu.Plugin{File: cfg.Fence})
	}
	if boots {
		devices = append(devices, qemu.Kernel{Image: cfg.Kernel, Initramfs: cfg.Initramfs, Extra: cfg.KernelArgs})
	}
	switch {
	case cfg.Template != nil:
		devices = append(devices, qemu.RAM{File: cfg.Template.file(ramFile), Size: cfg.Memory})
	case g.snapshot != "":
		devices = append(devices, qemu.RAM{File: filepath.Join(g.snapshot, ramFile), Size: cfg.Memory, Shared: true})
	}
	if cfg.Stay {
		devices = append(devices, qemu.Stay{})
	}
	if g.snapshot == "" {
		devices = append(devices, qemu.GDB{Socket: g.dir.file("gdb")})
	}
	return qemu.Command{Binary: cfg.QEMU, Devices: append(devices, g.session()...)}
}

// holds says whether the guest is prepared up to its program's first
// instruction. A deterministic one is not: letting it go from the host once more
// would be one more moment at which the host could make a difference.
func (g *Guest) holds() bool {
	return g.cfg.Template != nil && !g.cfg.Engine.Deterministic && !g.cfg.Paused
}

// connect waits for QEMU to answer on QMP, or to end.
func (g *Guest) connect(ctx context.Context) error {
	mon := qemu.NewMonitor(g.dir.file("qmp"))
	mon.Patience = g.cfg.BootLimit
	for start := time.Now(); ; {
		err := mon.Connect()
		if err == nil {
			break
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-g.proc.Done():
			return g.notStarted(nil)
		case <-time.After(2 * time.Millisecond):
		}
		if time.Since(start) > g.cfg.BootLimit {
			return g.notStarted(err)
		}
	}
	g.mon = mon
	listening, unlisten := context.WithCancel(context.WithoutCancel(ctx))
	g.unlisten = unlisten
	events, err := mon.Events(listening)
	if err != nil {
		return g.notStarted(err)
	}
	g.events = events
	return nil
}

// lastWords is how long a failing QEMU may take to end, and so to say why.
const lastWords = 200 * time.Millisecond

// notStarted is the error for a QEMU that failed before its guest could run.
func (g *Guest) notStarted(err error) error {
	select {
	case <-g.proc.Done():
		if why := g.fromOutside(g.lastReason(g.events, "")); why != nil {
			err = why // says more than a broken connection
		}
		return g.bootError("qemu ended", err)
	case <-time.After(lastWords):
		return g.bootError("qemu does not answer", err)
	}
}

// command runs a QMP command and decodes what it returns.
func (g *Guest) command(name string, args map[string]any, result any) error {
	if g.mon == nil {
		return errors.New("no monitor")
	}
	c := qmp.Command{Execute: name}
	if args != nil {
		c.Args = args
	}
	return g.mon.Do(c, result)
}

// Close ends the guest, wherever it is, and removes what it needed.
func (g *Guest) Close() {
	if g.unleash != nil {
		g.unleash()
	}
	if g.proc != nil {
		g.proc.Kill()
	}
	if g.unlisten != nil {
		g.unlisten()
	}
	if g.mon != nil {
		g.mon.Disconnect()
	}
	if g.console != nil {
		g.console.close()
	}
	g.mapped.Lock()
	if g.mem != nil {
		syscall.Munmap(g.mem)
		g.mem = nil
	}
	g.mapped.Unlock()
	if g.spill != nil {
		g.spill.remove()
	}
	g.dir.remove()
}

// received is what the guest has sent since the last time.
func (g *Guest) received() ([]wire.Message, error) {
	g.mapped.Lock()
	defer g.mapped.Unlock()
	if g.mem == nil {
		return nil, os.ErrClosed
	}
	return g.box.Receive()
}

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
