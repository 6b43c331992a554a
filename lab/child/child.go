// Package child starts the programs that must not outlive lab, such as QEMU and
// a kernel's build.
package child

import (
	"os/exec"
	"runtime"
)

// Start starts a command that ends with lab, however lab ends; where the kernel
// does not offer that (all but Linux), when lab ends by itself or by a signal
// that it can catch. The command gets a process group of its own, which keeps a
// Ctrl-C on the terminal away: lab decides. What cmd.Wait returns comes by the
// channel. Of cmd.SysProcAttr only the terminal counts, Foreground and Ctty: a
// command that has it has Ctrl-C too.
func Start(cmd *exec.Cmd) (ended <-chan error, err error) {
	attr := attributes()
	if asked := cmd.SysProcAttr; asked != nil {
		attr.Foreground, attr.Ctty = asked.Foreground, asked.Ctty
	}
	cmd.SysProcAttr = attr
	started, wait := make(chan error), make(chan error, 1)
	go func() {
		// Linux ends the child with the thread that forked it, so this one
		// lives as long as the child does (golang/go#27505).
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			wait <- cmd.Wait()
		}
	}()
	return wait, <-started
}
