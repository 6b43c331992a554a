//go:build linux

// Guest is /init in the lab's guest: it mounts what a Go program expects, runs
// the trials of its spec one after the other, hands each result to the host and
// powers off. Without a spec it is a template: it stops, to be snapshotted, and
// goes on in each clone with the spec that this one has. It decides nothing:
// whether a trial crashed is for the host to say.
package main

import (
	"fmt"
	"os"
	"runtime/debug"

	"ghostlab/initramfs/wire"
)

func main() {
	if os.Getpid() != 1 {
		return // a rehearsal
	}
	// init is small and short-lived; its collector would only compete with
	// the program under test. The limit is for batches of noisy trials.
	debug.SetGCPercent(-1)
	debug.SetMemoryLimit(64 << 20)

	host, machine := &reporter{}, power{}
	err := setUp(host, &machine)
	if err == nil {
		err = run(host, machine)
	}
	if err != nil {
		host.fail(err)
	}
	drainConsole()
	machine.off()
}

func setUp(host *reporter, machine *power) (err error) {
	if err := mountAll(); err != nil {
		return err
	}
	if err := userSpace(); err != nil {
		return fmt.Errorf("files of a user space: %w", err)
	}
	rawConsole()
	if err := raiseLimits(); err != nil {
		return err
	}
	if err := loopbackUp(); err != nil {
		return err
	}
	if *machine, err = openPower(); err != nil {
		return fmt.Errorf("power: %w", err)
	}
	return host.find()
}

func run(host *reporter, machine power) error {
	in, err := openSpec()
	if err != nil {
		return err
	}
	kernel := release() // now: each clone would have to read it again
	spec, err := in.read()
	if err != nil {
		return err
	}
	// Who sits at the console may look at all there is.
	if spec == nil || spec.Console == nil {
		if err := conceal(host.dirs(machine)...); err != nil {
			return err
		}
	}
	if spec == nil {
		rehearse()
	}
	for spec == nil {
		fmt.Print(wire.TemplateLine)
		drainConsole()
		alone(machine.stop)
		if spec, err = in.read(); err != nil {
			return err
		}
	}
	if err := host.connect(); err != nil {
		return err
	}
	host.send(wire.Message{Kind: wire.Ready, Release: kernel})
	for i, t := range spec.Trials {
		if i > 0 {
			cleanTmp()
		}
		if !host.hasRoom() {
			host.send(wire.Message{Kind: wire.Full})
			return nil
		}
		host.send(wire.Message{Kind: wire.Begin, ID: t.ID})
		if spec.Console != nil && i == 0 {
			host.send(runOnConsole(t, *spec.Console, host))
			continue
		}
		fmt.Print(wire.BeginLine(t.ID))
		hold := func() {}
		if spec.Hold && i == 0 {
			hold = machine.stop
		}
		end := runTrial(t, hold)
		fmt.Print(wire.EndLine(t.ID, end.Result))
		drainConsole()
		host.send(end)
	}
	return nil
}

// rehearse runs a trial of nothing, so that what a first trial needs once,
// threads, memory, tables of the kernel's, is in the snapshot.
func rehearse() { runTrial(wire.Trial{Argv: []string{"/init"}, Seed: 1}, func() {}) }

// reporter sends messages by the mailbox. Without one, in a guest started by
// hand, the console says enough.
type reporter struct {
	dev *pciDevice
	box *wire.Mailbox
}

func (r *reporter) find() (err error) {
	if r.dev, err = findDevice(wire.MailboxVendor, wire.MailboxDevice, 2); err != nil {
		return fmt.Errorf("mailbox: %w", err)
	}
	return nil
}

// dirs are those of the devices that are init's alone.
func (r *reporter) dirs(machine power) (all []string) {
	if r.dev != nil {
		all = append(all, r.dev.dir)
	}
	if machine.port != nil {
		all = append(all, machine.dir)
	}
	return all
}

// connect opens the mailbox. A template must not: QEMU accepts a snapshot only
// if the memory behind the device is where a new machine has it, nowhere yet.
func (r *reporter) connect() (err error) {
	if r.dev == nil || r.box != nil {
		return nil
	}
	if err := r.dev.enable(); err != nil {
		return fmt.Errorf("enable mailbox: %w", err)
	}
	r.box, err = wire.OpenMailbox(r.dev.mem)
	return err
}

func (r *reporter) hasRoom() bool { return r.box == nil || r.box.Free() >= wire.MailboxReserve }

func (r *reporter) send(m wire.Message) {
	if r.box == nil {
		return
	}
	if err := r.box.Send(m); err != nil {
		fmt.Fprintf(os.Stderr, "lab: %v\n", err)
	}
}

// fail says why init cannot go on, in every way that works.
func (r *reporter) fail(err error) {
	fmt.Printf("lab: %v\n", err)
	if r.connect() == nil {
		r.send(wire.Message{Kind: wire.Failed, Error: err.Error()})
	}
}
