//go:build linux

package main

import (
	"bytes"
	"fmt"
	"os"
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

// drainConsole waits until the console has shown everything: the host compares
// what it has seen of a trial, and a machine that is stopped shows no more.
func drainConsole() {
	const tcsbrk, onlyDrain = 0x5409, 1 // tcdrain(3)
	syscall.Syscall(syscall.SYS_IOCTL, 1, tcsbrk, onlyDrain)
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

// specReader reads the spec that QEMU passes by fw_cfg. It is open before the
// guest is snapshotted, and uses plain system calls: what a clone runs for the
// first time is translated for it alone.
type specReader struct{ fd int }

func openSpec() (specReader, error) {
	fd, err := syscall.Open("/sys/firmware/qemu_fw_cfg/by_name/"+wire.SpecFile+"/raw", syscall.O_RDONLY|syscall.O_CLOEXEC, 0)
	if err == syscall.ENOENT {
		return specReader{}, fmt.Errorf("no spec: QEMU was started without -fw_cfg name=%s, or the kernel without FW_CFG_SYSFS", wire.SpecFile)
	}
	if err != nil {
		return specReader{}, fmt.Errorf("open spec: %w", err)
	}
	return specReader{fd}, nil
}

// read returns nil in a template. The device hands out a byte at a time, so no
// more is read than is there.
func (r specReader) read() (*wire.Spec, error) {
	var b []byte
	buf := make([]byte, 512)
	for {
		n, err := syscall.Pread(r.fd, buf, int64(len(b)))
		if err != nil {
			return nil, fmt.Errorf("read spec: %w", err)
		}
		b = append(b, buf[:n]...)
		if n == 0 || bytes.IndexByte(buf[:n], 0) >= 0 {
			return wire.DecodeSpec(b)
		}
	}
}
