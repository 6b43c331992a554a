//go:build go1.24 && (goexperiment.swissmap || go1.26)

package main

import "unsafe"

// swissMap and table are Map and table of internal/runtime/maps since Go 1.24,
// as far as they matter here.
type swissMap struct {
	used   uint64
	seed   uintptr
	dirPtr unsafe.Pointer // to a group, or to dirLen pointers to tables
	dirLen int
}

type table struct {
	used, capacity, growthLeft uint16
	localDepth                 uint8
	index                      int
	groups                     unsafe.Pointer
	lengthMask                 uint64
}

// groupSize is the size of a group of uint64 keys and values: the control word
// and 8 slots.
const groupSize = 8 + 8*16

func tables(m map[uint64]uint64) []*table {
	h := *(**swissMap)(unsafe.Pointer(&m))
	if h.dirLen == 0 {
		return nil // a small map: one group, no array
	}
	var distinct []*table
	for _, t := range unsafe.Slice((**table)(h.dirPtr), h.dirLen) {
		if len(distinct) == 0 || distinct[len(distinct)-1] != t {
			distinct = append(distinct, t)
		}
	}
	return distinct
}

func bucketArrays(m map[uint64]uint64) []array {
	var arrays []array
	for _, t := range tables(m) {
		arrays = append(arrays, array{uintptr(t.groups), groupSize * uintptr(t.lengthMask+1)})
	}
	return arrays
}

// move copies the groups of the empty map to memory of ours. Empty groups are
// not zeros, so, unlike the older maps' buckets, they are touched here.
func move(m map[uint64]uint64, base uintptr) {
	for _, t := range tables(m) {
		size := groupSize * uintptr(t.lengthMask+1)
		copy(unsafe.Slice((*byte)(at(base)), size), unsafe.Slice((*byte)(t.groups), size))
		t.groups = at(base)
		base += (size + 63) &^ 63
	}
}
