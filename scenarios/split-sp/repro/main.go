// Split-sp returns again and again from a function whose stack frame is larger
// than 64 KiB, while the collector stops its goroutine to scan the stack. On
// ARM64 the releases with golang/go#73259 pop such a frame by two ADDs; a
// goroutine stopped between them is unwound with half a stack pointer, and the
// runtime dies of it. Exit status 0 means that this did not happen.
package main

import (
	"flag"
	"fmt"
	"runtime"
	"time"
)

var (
	duration = flag.Duration("duration", 2*time.Second, "give up after this time")
	garbage  = flag.Bool("garbage", true, "let the unwinder find garbage for a return address, not zero")
	spin     = flag.Duration("spin", 0, "busy wait before the first frame")
)

// frame is the size of the array on the stack. One ADD takes 12 bits, shifted
// by 12 or not. A frame of up to 16 bits was always popped in one step, by way
// of a register; this one was not.
const frame = 1<<16 + 1<<8

func main() {
	flag.Parse()
	for t := time.Now(); time.Since(t) < *spin; {
	}
	go pop()

	collections := 0
	for t := time.Now(); time.Since(t) < *duration; collections++ {
		runtime.GC()
	}
	fmt.Printf("passed: %d collections met no frame popped by half\n", collections)
}

func pop() {
	// The collector moves a goroutine that uses less than a quarter of its
	// stack to a smaller one. With this array it does not, and the garbage in
	// the frame below stays where it is.
	var quarter [1 << 15]byte
	litter(quarter[:])
	bigFrame(true)
	for {
		bigFrame(false)
	}
}

// bigFrame pops its frame in any case. The array, which the compiler zeroes
// where it is used, is used only when asked for: the common call is less than
// twenty instructions long, and two of them pop the frame.
//
//go:noinline
func bigFrame(use bool) {
	if use {
		var array [frame]byte
		litter(array[:])
	}
}

// litter is not inlined, or the compiler might see that nobody reads b.
//
//go:noinline
func litter(b []byte) {
	if !*garbage {
		return
	}
	for i := range b {
		b[i] = 0xff
	}
}
