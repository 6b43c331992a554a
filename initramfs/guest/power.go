//go:build linux

package main

import (
	"syscall"
	"time"

	"ghostlab/initramfs/wire"
)

// power is QEMU's pvpanic device. A write to it stops the machine at that very
// instruction, in the vCPU's own thread: a stop that the host asked for would
// come at another instruction each time. Whether the machine then waits to be
// snapshotted or ends is the host's choice (-action panic=).
type power struct {
	port *byte
	dir  string // the device's in sysfs
}

func openPower() (power, error) {
	dev, err := findDevice(wire.PowerVendor, wire.PowerDevice, 0)
	if dev == nil || err != nil {
		return power{}, err
	}
	return power{port: &dev.mem[0], dir: dev.dir}, dev.enable()
}

// stop stops the machine. It returns in a clone, or where there is no device.
//
//go:noinline
func (p power) stop() {
	if p.port != nil {
		*p.port = wire.PowerStop
	}
}

// off ends the machine, by the kernel where there is no device.
func (p power) off() {
	if p.port != nil {
		p.stop()
		time.Sleep(time.Second) // in parallel vCPUs the end takes a moment
	}
	syscall.Sync()
	syscall.Reboot(syscall.LINUX_REBOOT_CMD_POWER_OFF)
}
