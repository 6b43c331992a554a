// Dice prints what the kernel gave it at random: numbers, and addresses.
package main

import (
	"encoding/binary"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"syscall"
	"unsafe"
)

func main() {
	threads := flag.Bool("threads", false, "let some threads race for the lines of the output")
	flag.Parse()
	if *threads {
		race()
		return
	}
	var b [8]byte
	const getrandom = 278 // on arm64
	syscall.RawSyscall(getrandom, uintptr(unsafe.Pointer(&b)), 8, 0)
	fmt.Printf("%x ", b)

	f, err := os.Open("/dev/urandom")
	check(err)
	_, err = io.ReadFull(f, b[:])
	check(err)
	fmt.Printf("%x ", b)

	auxv, err := os.ReadFile("/proc/self/auxv")
	check(err)
	const atRandom = 25
	for ; len(auxv) >= 16; auxv = auxv[16:] {
		if binary.LittleEndian.Uint64(auxv) == atRandom {
			// The kernel has put 16 bytes there, on the first thread's stack.
			addr := uintptr(binary.LittleEndian.Uint64(auxv[8:]))
			fmt.Printf("%x ", **(**[16]byte)(unsafe.Pointer(&addr)))
		}
	}
	maps, err := os.ReadFile("/proc/self/maps")
	check(err)
	for _, line := range strings.Split(string(maps), "\n") {
		if strings.HasSuffix(line, "[stack]") {
			fmt.Println(strings.Fields(line)[0])
		}
	}
}

func race() {
	var wg sync.WaitGroup
	for g := 0; g < 8; g++ {
		wg.Add(1)
		go func(g int) {
			defer wg.Done()
			for i := 0; i < 50; i++ {
				fmt.Println(g, i)
			}
		}(g)
	}
	wg.Wait()
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}
