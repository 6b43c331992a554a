// Forge is a root program that looks for the lab's mailbox, and in other ways writes to
// it what init would. It prints what it got at and fails.
package main

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
)

const (
	head  = 64 // of the mailbox
	magic = "LABMBOX1"
)

func main() {
	fmt.Println("forge", os.Args[1:])
	switch way := os.Args[1]; way {
	case "reach":
		reach()
	case "again", "next", "off", "said":
		box := anew()
		if box == nil {
			fmt.Println("no mailbox")
			break
		}
		end := "lab: trial 1 ends: exit status 0 after 1ms\n"
		if way == "next" {
			send(box, "kind 2\nid 2\n")
			send(box, "kind 3\nid 2\nexit 0\nduration 1000000\n")
			break
		}
		if way != "again" {
			say(end)
		}
		send(box, "kind 3\nid 1\nexit 0\nduration 1000000\n")
		if way == "off" {
			syscall.Sync()
			syscall.Reboot(syscall.LINUX_REBOOT_CMD_POWER_OFF)
		}
	}
	os.Exit(2)
}

// reach tries all ways that need nothing but root.
func reach() {
	for _, root := range []string{"", "/proc/1/root", "/proc/1/task/1/root"} {
		bars, _ := filepath.Glob(root + "/sys/bus/pci/devices/*/resource*")
		for _, bar := range bars {
			if box := open(bar); box != nil {
				fmt.Println("reached", bar)
			}
		}
	}
	for _, file := range []string{"/proc/1/mem", "/proc/1/maps", "/proc/1/ns/mnt", "/dev/mem", "/sys/firmware/qemu_fw_cfg/by_name/opt/lab/spec/raw"} {
		if f, err := os.OpenFile(file, os.O_RDONLY, 0); err == nil {
			f.Close()
			fmt.Println("reached", file)
		}
	}
	runtime.LockOSThread()
	if err := syscall.PtraceAttach(1); err == nil {
		var ws syscall.WaitStatus
		syscall.Wait4(1, &ws, syscall.WALL, nil)
		syscall.PtraceDetach(1)
		fmt.Println("reached init by ptrace")
	}
	configs, _ := filepath.Glob("/proc/bus/pci/*/*")
	for _, name := range configs {
		fmt.Println("reached", name)
	}
}

// anew maps the mailbox by way of another sysfs, which takes CAP_SYS_ADMIN.
func anew() []byte {
	os.Mkdir("/tmp/sys", 0o755)
	if err := syscall.Mount("sysfs", "/tmp/sys", "sysfs", 0, ""); err != nil {
		fmt.Println(err)
	}
	defer syscall.Unmount("/tmp/sys", 0)
	bars, _ := filepath.Glob("/tmp/sys/bus/pci/devices/*/resource2")
	for _, bar := range bars {
		if box := open(bar); box != nil {
			return box
		}
	}
	return nil
}

func open(bar string) []byte {
	f, err := os.OpenFile(bar, os.O_RDWR, 0)
	if err != nil {
		return nil
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || info.Size() < head || !strings.HasSuffix(bar, "resource2") {
		return nil
	}
	box, err := syscall.Mmap(int(f.Fd()), 0, int(info.Size()), syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED)
	if err != nil || string(box[:len(magic)]) != magic {
		return nil
	}
	return box
}

// send appends a frame, see initramfs/wire.
func send(box []byte, lines string) {
	end := binary.LittleEndian.Uint64(box[8:])
	frame := box[head+end:]
	binary.LittleEndian.PutUint32(frame, uint32(12+len(lines)))
	binary.LittleEndian.PutUint32(frame[4:], uint32(len(lines)))
	binary.LittleEndian.PutUint32(frame[8:], 0)
	for i := range lines {
		frame[12+i] = lines[i]
	}
	binary.LittleEndian.PutUint64(box[8:], end+12+uint64(len(lines)))
	fmt.Println("sent", strings.Fields(lines))
}

func say(line string) {
	tty, err := os.OpenFile("/dev/console", os.O_WRONLY, 0)
	if err == nil {
		tty.WriteString(line)
		syscall.Syscall(syscall.SYS_IOCTL, tty.Fd(), 0x5409, 1) // tcdrain(3)
		tty.Close()
	}
}
