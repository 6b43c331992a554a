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

const (
	debugfs = "/sys/kernel/debug"
	cgroups = "/sys/fs/cgroup"
)

func mountAll() error {
	for _, m := range []struct {
		kind, dir, options string
		optional           bool // a kernel of the researcher's own may lack it
	}{
		{kind: "proc", dir: "/proc"},
		{kind: "sysfs", dir: "/sys"},
		{kind: "devtmpfs", dir: "/dev"},
		{kind: "tmpfs", dir: "/dev/shm"},
		{kind: "tmpfs", dir: "/tmp"},
		{kind: "devpts", dir: "/dev/pts", options: "ptmxmode=0666,mode=0620", optional: true},
		{kind: "mqueue", dir: "/dev/mqueue", optional: true},
		{kind: "cgroup2", dir: cgroups, optional: true},
		{kind: "debugfs", dir: debugfs, optional: true},
		{kind: "tracefs", dir: "/sys/kernel/tracing", optional: true},
	} {
		err := os.MkdirAll(m.dir, 0o755)
		if err == nil {
			err = syscall.Mount(m.kind, m.dir, m.kind, 0, m.options)
		}
		// CONFIG_DEVTMPFS_MOUNT mounts /dev before init runs. Without cgroups
		// sysfs has no folder for them.
		if err != nil && err != syscall.EBUSY && !m.optional {
			return fmt.Errorf("mount %s on %s: %w", m.kind, m.dir, err)
		}
	}
	// What a program's own groups can limit, as on a server.
	os.WriteFile(cgroups+"/cgroup.subtree_control", []byte("+cpuset +memory +pids"), 0)
	return os.Chmod("/tmp", 0o1777)
}

// raiseLimits lets a program open as many files as a service of systemd's; the
// kernel's own limit is 4096.
func raiseLimits() error {
	err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{Cur: 1024, Max: 524288})
	if err != nil {
		return fmt.Errorf("raise the limit of open files: %w", err)
	}
	return nil
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

// loopbackUp configures lo, which programs with a server in them listen on. The
// kernel gives it 127.0.0.1 and ::1.
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
