//go:build !go1.24 || (!goexperiment.swissmap && !go1.26)

package main

import "unsafe"

// hmap is runtime.hmap of Go 1.21 to 1.23 (runtime/map.go), as far as it
// matters here.
type hmap struct {
	count     int
	flags     uint8
	B         uint8
	noverflow uint16
	hash0     uint32
	buckets   unsafe.Pointer
}

// bucketSize is sizeof(bmap) for uint64 keys and values: 8 bytes of tophash,
// 8 keys, 8 values and the overflow pointer.
const bucketSize = 8 + 8*8 + 8*8 + 8

func header(m map[uint64]uint64) *hmap { return *(**hmap)(unsafe.Pointer(&m)) }

func bucketArrays(m map[uint64]uint64) []array {
	h := header(m)
	if h.buckets == nil {
		return nil
	}
	return []array{{uintptr(h.buckets), bucketSize << h.B}}
}

// move points the empty map at memory of ours. Zeros are empty buckets, so
// nothing is touched: the first write to each page faults, as in fresh memory
// of the runtime's. The collector leaves pointers out of its heap alone, and
// these buckets hold none.
func move(m map[uint64]uint64, base uintptr) { header(m).buckets = at(base) }
