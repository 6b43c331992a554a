//go:build linux

package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"unsafe"

	"ghostlab/initramfs/wire"
)

const debugfs = "/sys/kernel/debug"

func mountAll() error {
	for _, m := range []struct{ kind, dir string }{
		{"proc", "/proc"},
		{"sysfs", "/sys"},
		{"devtmpfs", "/dev"},
		{"tmpfs", "/dev/shm"},
		{"tmpfs", "/tmp"},
		{"debugfs", debugfs},
		{"tracefs", "/sys/kernel/tracing"},
	} {
		if err := os.MkdirAll(m.dir, 0o755); err != nil {
			return err
		}
		err := syscall.Mount(m.kind, m.dir, m.kind, 0, "")
		// A kernel of the researcher's own may lack the last two, and
		// CONFIG_DEVTMPFS_MOUNT mounts /dev before init runs.
		optional := m.kind == "debugfs" || m.kind == "tracefs"
		if err != nil && err != syscall.EBUSY && !(optional && err == syscall.ENODEV) {
			return fmt.Errorf("mount %s on %s: %w", m.kind, m.dir, err)
		}
	}
	return os.Chmod("/tmp", 0o1777)
}

// rawConsole makes the console pass bytes as they are, so that what the host
// records is what the program wrote. A console that is no terminal is left alone.
func rawConsole() {
	var t syscall.Termios
	_, _, errno := syscall.Syscall(syscall.SYS_IOCTL, 1, syscall.TCGETS, uintptr(unsafe.Pointer(&t)))
	if errno != 0 {
		return
	}
	t.Oflag &^= syscall.OPOST
	t.Lflag &^= syscall.ECHO
	syscall.Syscall(syscall.SYS_IOCTL, 1, syscall.TCSETS, uintptr(unsafe.Pointer(&t)))
}

// loopbackUp configures lo, which programs with a server in them listen on.
func loopbackUp() error {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_DGRAM, 0)
	if err != nil {
		return nil // a kernel without networking
	}
	defer syscall.Close(fd)
	var ifreq [40]byte // struct ifreq: the name, then a union with the flags
	copy(ifreq[:], "lo")
	ifreq[syscall.IFNAMSIZ] = syscall.IFF_UP | syscall.IFF_RUNNING
	_, _, errno := syscall.Syscall(syscall.SYS_IOCTL, uintptr(fd), syscall.SIOCSIFFLAGS, uintptr(unsafe.Pointer(&ifreq)))
	if errno != 0 {
		return fmt.Errorf("bring up lo: %w", errno)
	}
	return nil
}

func release() string {
	b, err := os.ReadFile("/proc/sys/kernel/osrelease")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(b))
}

// readSpec reads the spec that QEMU passes by fw_cfg.
func readSpec() (wire.Spec, error) {
	b, err := os.ReadFile("/sys/firmware/qemu_fw_cfg/by_name/" + wire.SpecFile + "/raw")
	if os.IsNotExist(err) {
		return wire.Spec{}, fmt.Errorf("no spec: QEMU was started without -fw_cfg name=%s, or the kernel without FW_CFG_SYSFS", wire.SpecFile)
	}
	if err != nil {
		return wire.Spec{}, fmt.Errorf("read spec: %w", err)
	}
	return wire.DecodeSpec(bytes.TrimRight(b, "\x00"))
}

// openMailbox maps the BAR of the ivshmem device. It returns nil when the
// machine has no such device.
func openMailbox() (*wire.Mailbox, error) {
	devices, err := filepath.Glob("/sys/bus/pci/devices/*")
	if err != nil {
		return nil, err
	}
	for _, dir := range devices {
		if !hasID(dir, "vendor", wire.MailboxVendor) || !hasID(dir, "device", wire.MailboxDevice) {
			continue
		}
		if err := os.WriteFile(filepath.Join(dir, "enable"), []byte("1"), 0); err != nil {
			return nil, fmt.Errorf("enable mailbox: %w", err)
		}
		mem, err := mapFile(filepath.Join(dir, "resource2_wc"))
		if os.IsNotExist(err) {
			mem, err = mapFile(filepath.Join(dir, "resource2"))
		}
		if err != nil {
			return nil, fmt.Errorf("map mailbox: %w", err)
		}
		return wire.OpenMailbox(mem)
	}
	return nil, nil
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
	return syscall.Mmap(int(f.Fd()), 0, int(info.Size()), syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED)
}
