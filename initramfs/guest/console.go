//go:build linux

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
	"unsafe"

	"ghostlab/initramfs/wire"
)

// runOnConsole runs a program with the console for its terminal.
func runOnConsole(t wire.Trial, size wire.Size, host *reporter) wire.Message {
	end := wire.Message{Kind: wire.End, ID: t.ID, Result: &wire.Result{}}
	if err := mountShare(); err != nil {
		fmt.Printf("lab: %v\n", err)
	}
	start := time.Now()
	tty, err := openConsole(size)
	if err != nil {
		end.Result.Error = err.Error()
		return end
	}
	defer tty.Close()
	resize(tty, size)
	done := make(chan struct{})
	defer close(done)
	go followSize(tty, size, host, done)
	pid, err := syscall.ForkExec(t.Argv[0], t.Argv, &syscall.ProcAttr{
		Dir: "/tmp", Env: t.Env, Files: []uintptr{tty.Fd(), tty.Fd(), tty.Fd()},
		Sys: &syscall.SysProcAttr{Setsid: true, Setctty: true},
	})
	if err != nil {
		end.Result.Error = fmt.Sprintf("start %s: %v", t.Argv[0], err)
		return end
	}
	waitFor(pid, t.Timeout, end.Result)
	end.Result.Duration = time.Since(start)
	killAll()
	return end
}

// openConsole opens the device behind /dev/console, which itself cannot be a
// controlling terminal, with the settings that people are used to. Where nobody
// sits at it, which is a size of zero, lines end as the program ends them.
func openConsole(size wire.Size) (*os.File, error) {
	name, err := os.ReadFile("/sys/class/tty/console/active")
	if err != nil {
		return nil, fmt.Errorf("find the console: %w", err)
	}
	all := strings.Fields(string(name))
	if len(all) == 0 {
		return nil, fmt.Errorf("the kernel has no console")
	}
	tty, err := os.OpenFile("/dev/"+all[len(all)-1], os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		return nil, err
	}
	var t syscall.Termios
	if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, tty.Fd(), syscall.TCGETS, uintptr(unsafe.Pointer(&t))); errno == 0 {
		t.Iflag |= syscall.ICRNL | syscall.IXON
		if size != (wire.Size{}) {
			t.Oflag |= syscall.OPOST | syscall.ONLCR
		}
		t.Lflag |= syscall.ISIG | syscall.ICANON | syscall.ECHO | syscall.ECHOE | syscall.ECHOK | syscall.IEXTEN
		syscall.Syscall(syscall.SYS_IOCTL, tty.Fd(), syscall.TCSETS, uintptr(unsafe.Pointer(&t)))
	}
	return tty, nil
}

// resize tells the terminal its size, and the programs on it where that is new.
func resize(tty *os.File, s wire.Size) {
	size := [4]uint16{uint16(s.Rows), uint16(s.Cols)} // struct winsize
	syscall.Syscall(syscall.SYS_IOCTL, tty.Fd(), syscall.TIOCSWINSZ, uintptr(unsafe.Pointer(&size)))
}

// followSize passes on what the host says of its window.
func followSize(tty *os.File, now wire.Size, host *reporter, done <-chan struct{}) {
	for host.box != nil {
		if s := host.box.Size(); s != (wire.Size{}) && s != now {
			resize(tty, s)
			now = s
		}
		select {
		case <-done:
			return
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// mountShare mounts the host's folder where QEMU has been given one.
func mountShare() error {
	if tags, _ := filepath.Glob("/sys/bus/virtio/drivers/9pnet_virtio/*/mount_tag"); len(tags) == 0 {
		return nil
	}
	if err := os.MkdirAll(wire.SharePath, 0o755); err != nil {
		return err
	}
	if err := syscall.Mount(wire.ShareTag, wire.SharePath, "9p", 0, "trans=virtio,version=9p2000.L,msize=131072"); err != nil {
		return fmt.Errorf("mount %s: %w", wire.SharePath, err)
	}
	return nil
}
