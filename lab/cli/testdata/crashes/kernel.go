package main

import (
	"os"
	"syscall"
	"time"
	"unsafe"
)

// unmap: memory is given back while another goroutine reads it.
func unmap() {
	m, err := syscall.Mmap(-1, 0, 1<<20, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		panic(err)
	}
	go func() {
		time.Sleep(time.Millisecond)
		syscall.Munmap(m) // the culprit
	}()
	for {
		total += add(m)
	}
}

//go:noinline
func add(m []byte) (sum int) {
	for i := range m {
		sum += int(m[i]) // the victim
	}
	return sum
}

// refill: a system call is told to write more than there is room for.
func refill() {
	type record struct {
		data [16]byte
		next *record
	}
	r, w, err := os.Pipe()
	if err != nil {
		panic(err)
	}
	w.WriteString("sixteen bytes and eight more")
	x := &record{}
	x.next = x
	go func() {
		time.Sleep(time.Millisecond)
		r.Read(unsafe.Slice((*byte)(unsafe.Pointer(x)), unsafe.Sizeof(*x))) // the culprit
	}()
	for {
		total += int(x.next.data[0]) // the victim
	}
}
