package session

import (
	"context"
	"fmt"

	"al.essio.dev/pkg/shellescape"

	"ghostlab/gdb"
	"ghostlab/images"
	"ghostlab/initramfs/wire"
	"ghostlab/lab/matrix"
	"ghostlab/lab/vm"
)

// Debugging says how a program is debugged. Its zero value is gdb on a guest of the
// parallel engine.
type Debugging struct {
	// Breaks are functions of the program or the kernel to stop at.
	Breaks []string
	// Deterministic makes the guest one whose sessions are all alike.
	Deterministic bool
	// Seed is that of the guest's random numbers and addresses.
	Seed uint64
	// NoGDB prints gdb's command and waits; Delve runs that in the guest instead.
	NoGDB, Delve bool
}

// Debug boots a guest that waits before its program's first instruction, and runs a
// debugger on it.
func (h Host) Debug(ctx context.Context, p Program, d Debugging) error {
	if _, err := gdb.Find(); err != nil && !d.NoGDB && !d.Delve {
		return err
	}
	vm.CleanStale()
	k, err := h.Kernel(ctx, false)
	if err != nil {
		return err
	}
	img, err := images.Ensure(ctx, h.Store, k, p.Source, h.Settings.Go)
	if err != nil {
		return err
	}
	if d.Delve {
		return h.delve(ctx, p, img, d.Seed)
	}
	s, err := h.Describe(ctx, img.Kernel, p.about("", img))
	if err != nil {
		return err
	}
	s.Breaks = d.Breaks
	if err := s.Check(); err != nil {
		return err
	}
	dir, remove, err := vm.Scratch()
	if err != nil {
		return err
	}
	defer remove()

	cfg := h.machine(ctx)
	cfg.Kernel, cfg.Initramfs, cfg.Dir = img.Kernel.Image(), img.Initramfs, dir
	cfg.Paused, cfg.Stay = true, !d.NoGDB
	cfg.About = p.about("debug", img)
	if d.Deterministic {
		cfg.Engine = vm.Engine{Deterministic: true, Shift: matrix.DefaultShift}
	}
	cfg.Spec = wire.Spec{Trials: []wire.Trial{{ID: 1, Argv: p.Command.Argv, Env: p.Command.Env, Dir: p.Command.Dir, Seed: d.Seed}}}
	guest, socket, err := h.prepare(ctx, cfg)
	if err != nil {
		return err
	}
	defer guest.Close()
	s.Socket = socket
	command, err := s.Write(dir)
	if err != nil {
		return err
	}
	fmt.Fprintf(h.Streams.Out, "%s\n", shellescape.QuoteCommand(command))
	if d.NoGDB {
		h.Out.Printf("the guest waits before its first instruction; paste the line above into another terminal")
		return h.watch(ctx, guest)
	}
	h.Out.Close()
	return h.underGDB(ctx, guest, command)
}

// prepare starts the guest of a session. socket is its gdb stub's.
func (h Host) prepare(ctx context.Context, cfg vm.Config) (guest *vm.Guest, socket string, err error) {
	cfg.Started = func(byHand, gdb string) {
		socket = gdb
		if h.Verbose {
			h.Out.Printf("%s", byHand)
		}
	}
	guest, err = vm.Prepare(ctx, cfg)
	return guest, socket, err
}

// underGDB runs a guest under gdb on the user's terminal. The guest ends with
// gdb, and what its program wrote is printed then.
func (h Host) underGDB(ctx context.Context, guest *vm.Guest, command []string) error {
	running, end := context.WithCancel(ctx)
	defer end()
	said := make(chan []byte, 1)
	go func() {
		var output []byte
		guest.Run(running, func(m vm.Message) { output = append(output, m.Output...) })
		said <- output
	}()
	err := h.gdb(ctx, command)
	end()
	h.Streams.Out.Write(<-said)
	return err
}

// watch follows a guest that somebody else looks at to its end.
func (h Host) watch(ctx context.Context, guest *vm.Guest) error {
	end, err := guest.Run(ctx, func(m vm.Message) { h.Streams.Out.Write(m.Output) })
	if err != nil {
		return err
	}
	h.Out.Printf("the guest ended: %s", end.Reason)
	return nil
}
