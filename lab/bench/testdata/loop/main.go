//go:build linux

// Loop is an /init that does what a shell loop in a guest would: it runs the
// program again and again, its output on the console, and powers off.
package main

import (
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
)

func main() {
	syscall.Mount("proc", "/proc", "proc", 0, "")
	syscall.Mount("devtmpfs", "/dev", "devtmpfs", 0, "")
	syscall.Mount("tmpfs", "/tmp", "tmpfs", 0, "")
	// The kernel hands words of its command line on as environment.
	n, _ := strconv.Atoi(os.Getenv("LOOP"))
	args := strings.Split(os.Getenv("ARGS"), ",")
	for i := 0; i < n; i++ {
		cmd := exec.Command("/repro", args...)
		cmd.Env = []string{"GOMAXPROCS=2", "GOTRACEBACK=system"}
		cmd.Stdout, cmd.Stderr = os.Stdout, os.Stdout
		cmd.Run()
	}
	syscall.Reboot(syscall.LINUX_REBOOT_CMD_POWER_OFF)
}
