//go:build linux

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// pciDevice is a device with one of its BARs mapped, not yet enabled.
type pciDevice struct {
	dir      string // in sysfs
	mem      []byte
	onSwitch *os.File
}

// findDevice maps a BAR of the first PCI device with these IDs, write-combining
// where it can be. It returns nil when there is no such device.
func findDevice(vendor, device, bar int) (*pciDevice, error) {
	devices, err := filepath.Glob("/sys/bus/pci/devices/*")
	if err != nil {
		return nil, err
	}
	for _, dir := range devices {
		if !hasID(dir, "vendor", vendor) || !hasID(dir, "device", device) {
			continue
		}
		file := fmt.Sprintf("%s/resource%d", dir, bar)
		mem, err := mapFile(file + "_wc")
		if os.IsNotExist(err) {
			mem, err = mapFile(file)
		}
		if err != nil {
			return nil, err
		}
		offset, err := offsetInPage(dir, bar)
		if err != nil {
			return nil, err
		}
		if err := forget(dir, bar); err != nil {
			return nil, err
		}
		enable, err := os.OpenFile(filepath.Join(dir, "enable"), os.O_WRONLY, 0)
		return &pciDevice{dir, mem[offset:], enable}, err
	}
	return nil, nil
}

// forget brings a BAR to where it has never been seen. A driver that looks at a
// device and lets it go leaves it enabled, as virtio's does with any device of
// its vendor, and even once it is disabled QEMU remembers where the memory behind
// it was. It is shown at address 0 for a moment, which is no address of the
// kernel's, and is then disabled.
func forget(dir string, bar int) error {
	f, err := os.OpenFile(filepath.Join(dir, "config"), os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	// include/uapi/linux/pci_regs.h
	const command, memory, bars = 4, 2, 0x10
	at := int64(bars + 4*bar)
	now, address := make([]byte, 2), make([]byte, 8)
	if _, err := f.ReadAt(now, command); err != nil || now[0]&memory == 0 {
		return err
	}
	if _, err := f.ReadAt(address, at); err != nil {
		return err
	}
	for _, w := range []struct {
		bytes []byte
		at    int64
	}{
		{[]byte{0, 0}, command}, {make([]byte, 8), at}, {[]byte{memory, 0}, command},
		{[]byte{0, 0}, command}, {address, at},
	} {
		if _, err := f.WriteAt(w.bytes, w.at); err != nil {
			return err
		}
	}
	return nil
}

// enable makes the device answer at its addresses.
func (d *pciDevice) enable() error {
	_, err := d.onSwitch.Write([]byte("1"))
	return err
}

// offsetInPage is where in its page a BAR begins: the kernel maps whole pages,
// and a BAR can be smaller.
func offsetInPage(dir string, bar int) (int, error) {
	b, err := os.ReadFile(filepath.Join(dir, "resource"))
	if err != nil {
		return 0, err
	}
	lines := strings.Split(string(b), "\n") // start, end, flags of each BAR
	if bar >= len(lines) {
		return 0, fmt.Errorf("%s has no BAR %d", dir, bar)
	}
	var start int
	if _, err := fmt.Sscanf(lines[bar], "0x%x", &start); err != nil {
		return 0, fmt.Errorf("BAR %d of %s: %w", bar, dir, err)
	}
	return start % os.Getpagesize(), nil
}

func hasID(dir, file string, id int) bool {
	b, err := os.ReadFile(filepath.Join(dir, file))
	return err == nil && strings.TrimSpace(string(b)) == fmt.Sprintf("%#04x", id)
}

func mapFile(path string) ([]byte, error) {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	size := (int(info.Size()) + os.Getpagesize() - 1) &^ (os.Getpagesize() - 1)
	return syscall.Mmap(int(f.Fd()), 0, size, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED)
}
