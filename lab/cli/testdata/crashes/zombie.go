package main

import (
	"runtime"
	"unsafe"
)

var (
	kept   []*[8]*node
	hidden uintptr // from the collector
)

// revive: a pointer to an object that the collector has freed comes back.
func revive() {
	hide()
	runtime.GC()
	runtime.GC()
	place := &node{}
	done := make(chan bool)
	go func() {
		raise(place)
		close(done)
	}()
	<-done
	runtime.GC()
	runtime.GC()
	runtime.KeepAlive(place)
	runtime.KeepAlive(kept)
}

// hide frees every other of a span's objects, and remembers one of these by its number.
//
//go:noinline
func hide() {
	var all []*[8]*node
	for i := 0; i < 200; i++ {
		all = append(all, new([8]*node))
	}
	for i := 0; i < len(all); i += 2 {
		kept = append(kept, all[i])
	}
	hidden = uintptr(unsafe.Pointer(all[101]))
}

//go:noinline
func raise(place *node) {
	place.next = *(**node)(unsafe.Pointer(&hidden)) // the culprit
}
