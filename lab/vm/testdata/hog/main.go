// Hog takes every vCPU with a real-time priority that nothing else has, init
// included: for the host the guest does not answer any more.
package main

import (
	"fmt"
	"os"
	"runtime"
	"syscall"
	"unsafe"
)

func main() {
	if err := os.WriteFile("/proc/sys/kernel/sched_rt_runtime_us", []byte("-1"), 0); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	n := runtime.NumCPU()
	runtime.GOMAXPROCS(n + 1)
	for i := 0; i < n; i++ {
		go func() {
			runtime.LockOSThread()
			const fifo = 1
			priority := int32(99)
			syscall.RawSyscall(syscall.SYS_SCHED_SETSCHEDULER, 0, fifo, uintptr(unsafe.Pointer(&priority)))
			spin()
		}()
	}
	select {}
}

//go:noinline
func spin() {
	for {
	}
}
