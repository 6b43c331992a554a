//go:build linux

package main

import (
	"fmt"
	"os"
	"syscall"
)

// conceal takes what the guest and the lab speak by out of the reach of programs: the
// PCI devices of dirs, of which any root program can map the memory, and the spec. An
// empty file system covers each. Init has mapped and opened what it needs. Only a
// program that mounts sysfs anew or takes the covers away still gets there, for which
// it needs CAP_SYS_ADMIN, or one that puts code into the kernel.
func conceal(dirs ...string) error {
	for _, dir := range append(dirs, "/proc/bus/pci", "/sys/firmware/qemu_fw_cfg") {
		err := syscall.Mount("none", dir, "tmpfs", syscall.MS_RDONLY|syscall.MS_NOSUID|syscall.MS_NODEV|syscall.MS_NOEXEC, "mode=0555")
		if err != nil && !os.IsNotExist(err) {
			return fmt.Errorf("cover %s: %w", dir, err)
		}
	}
	return nil
}

// renounce keeps two capabilities from the programs that this thread starts, and from
// all that those start. CAP_SYS_RAWIO is for /dev/mem, where a kernel has it. Without
// CAP_SYS_PTRACE nobody gets at a process that may do more, which init is: at its
// memory, where the mailbox is mapped. A debugger of a program's own children needs none.
func renounce() error {
	// include/uapi/linux/capability.h and prctl.h
	const rawIO, ptrace, dropFromBoundingSet = 17, 19, 24
	for _, capability := range []uintptr{rawIO, ptrace} {
		if _, _, errno := syscall.RawSyscall(syscall.SYS_PRCTL, dropFromBoundingSet, capability, 0); errno != 0 {
			return fmt.Errorf("drop capability %d: %w", capability, errno)
		}
	}
	return nil
}
