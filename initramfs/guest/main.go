//go:build linux

// Guest is /init in the lab's guest: it mounts what a Go program expects, runs
// the trials of its spec one after the other, hands each result to the host and
// powers off. It decides nothing: whether a trial crashed is for the host to say.
package main

import (
	"fmt"
	"os"
	"runtime/debug"
	"syscall"

	"ghostlab/initramfs/wire"
)

func main() {
	host := &reporter{}
	if err := run(host); err != nil {
		host.send(wire.Message{Kind: wire.Failed, Error: err.Error()})
		fmt.Printf("lab: %v\n", err)
	}
	syscall.Sync()
	syscall.Reboot(syscall.LINUX_REBOOT_CMD_POWER_OFF)
}

func run(host *reporter) error {
	// init is small and short-lived; its collector would only compete with
	// the program under test. The limit is for batches of noisy trials.
	debug.SetGCPercent(-1)
	debug.SetMemoryLimit(64 << 20)

	if err := mountAll(); err != nil {
		return err
	}
	rawConsole()
	if err := loopbackUp(); err != nil {
		return err
	}
	if err := host.connect(); err != nil {
		return err
	}
	spec, err := readSpec()
	if err != nil {
		return err
	}
	host.send(wire.Message{Kind: wire.Ready, Release: release()})
	for _, t := range spec.Trials {
		if !host.hasRoom() {
			host.send(wire.Message{Kind: wire.Full})
			return nil
		}
		host.send(wire.Message{Kind: wire.Begin, ID: t.ID})
		fmt.Printf("lab: trial %d begins\n", t.ID)
		end := runTrial(t)
		fmt.Printf("lab: trial %d ends: %s\n", t.ID, describe(end.Result))
		host.send(end)
	}
	return nil
}

func describe(r *wire.Result) string {
	switch {
	case r.Error != "":
		return r.Error
	case r.TimedOut:
		return fmt.Sprintf("time limit reached after %v", r.Duration)
	case r.Signal != 0:
		return fmt.Sprintf("signal %d after %v", r.Signal, r.Duration)
	default:
		return fmt.Sprintf("exit status %d after %v", r.Exit, r.Duration)
	}
}

// reporter sends messages by the mailbox. Without one, in a guest started by
// hand, the console says enough.
type reporter struct{ box *wire.Mailbox }

func (r *reporter) connect() (err error) {
	r.box, err = openMailbox()
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
