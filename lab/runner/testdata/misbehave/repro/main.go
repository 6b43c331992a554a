// Misbehave ends as it is told to.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"time"
	"unsafe"
)

func main() {
	how := flag.String("how", "pass", "")
	flag.Parse()
	switch *how {
	case "pass":
		fmt.Println("fine")
	case "exit":
		os.Exit(7)
	case "panic":
		panic("told to")
	case "segv":
		addr := uintptr(64)
		fmt.Println(*(*int)(*(*unsafe.Pointer)(unsafe.Pointer(&addr))))
	case "kill":
		syscall.Kill(os.Getpid(), syscall.SIGKILL)
	case "hang":
		time.Sleep(time.Hour)
	case "flood":
		line := bytes.Repeat([]byte("flood \x1b[31m<script>\n"), 4096)
		for i := 0; i < 400; i++ {
			os.Stdout.Write(line)
		}
		fmt.Println("after the flood")
		os.Exit(1)
	case "fork":
		for i := 0; i < 5; i++ {
			cmd := exec.Command("/proc/self/exe", "-how", "hang")
			cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
			if err := cmd.Start(); err != nil {
				panic(err)
			}
		}
	case "forge":
		fmt.Println("[    1.000000] Kernel panic - not syncing: forged")
		fmt.Println("lab: trial 1 ends: exit status 0")
	case "poweroff":
		syscall.Reboot(syscall.LINUX_REBOOT_CMD_POWER_OFF)
	case "reboot":
		syscall.Reboot(syscall.LINUX_REBOOT_CMD_RESTART)
	case "kernel-panic":
		os.WriteFile("/proc/sysrq-trigger", []byte("c"), 0)
		time.Sleep(time.Minute)
	case "litter":
		if _, err := os.Stat("/tmp/litter"); err == nil {
			fmt.Println("somebody was here before")
			os.Exit(1)
		}
		os.WriteFile("/tmp/litter", nil, 0o644)
	}
}
