package main

import "unsafe"

//go:noinline
func spoil(n *node) {
	for i := 0; ; i++ {
		if i == 50_000 {
			*(*uintptr)(unsafe.Pointer(&n.next)) = 0x123450 // the culprit
		}
	}
}
