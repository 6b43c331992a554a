package main

import (
	"fmt"
	"os"
	"syscall"
	"unsafe"
)

const (
	pageSize = 4 << 10
	hugeSize = 2 << 20

	// linux/mman.h; package syscall has not all of them.
	mapPopulate       = 0x8000
	mapFixed          = 0x10
	madvHugepage      = 14
	madvNohugepage    = 15
	madvPopulateWrite = 23 // since Linux 5.14
)

// array is the memory that holds a map's buckets.
type array struct{ base, size uintptr }

// place puts the bucket array where the flags want it.
func place(m map[uint64]uint64) error {
	arrays := bucketArrays(m)
	if *align == "none" {
		for _, a := range arrays {
			if *populate {
				first := a.base &^ (pageSize - 1)
				if err := madvise(first, a.base+a.size-first, madvPopulateWrite); err != nil {
					return fmt.Errorf("populate: %w", err)
				}
			}
		}
		return nil
	}
	var total uintptr
	for _, a := range arrays {
		total += (a.size + 63) &^ 63
	}
	base, err := mapAligned(total)
	if err != nil {
		return err
	}
	move(m, base)
	return nil
}

// mapAligned maps memory at the alignment of the flags: 4KiB is the start of a
// page but not of a huge page, the others are the start of a huge page.
func mapAligned(size uintptr) (uintptr, error) {
	size = (size + hugeSize - 1) &^ (hugeSize - 1)
	room, err := mmap(0, size+2*hugeSize, syscall.PROT_NONE, 0)
	if err != nil {
		return 0, fmt.Errorf("reserve: %w", err)
	}
	base := (room + hugeSize - 1) &^ (hugeSize - 1)
	flags, advice := 0, madvNohugepage
	switch *align {
	case "4KiB":
		base += pageSize
	case "2MiB":
	case "huge":
		advice = madvHugepage
	default:
		return 0, fmt.Errorf("-mmap-align: want none, 4KiB, 2MiB or huge, got %q", *align)
	}
	if *populate && *align != "huge" {
		flags = mapPopulate
	}
	if _, err := mmap(base, size, syscall.PROT_READ|syscall.PROT_WRITE, mapFixed|flags); err != nil {
		return 0, fmt.Errorf("map: %w", err)
	}
	if err := madvise(base, size, advice); err != nil {
		return 0, fmt.Errorf("madvise(%d): %w", advice, err)
	}
	if *populate && *align == "huge" { // after the advice, or it would be small pages
		if err := madvise(base, size, madvPopulateWrite); err != nil {
			return 0, fmt.Errorf("populate: %w", err)
		}
	}
	return base, nil
}

func mmap(addr, size uintptr, prot, flags int) (uintptr, error) {
	p, _, errno := syscall.Syscall6(syscall.SYS_MMAP, addr, size, uintptr(prot),
		uintptr(syscall.MAP_PRIVATE|syscall.MAP_ANON|flags), ^uintptr(0), 0)
	if errno != 0 {
		return 0, errno
	}
	return p, nil
}

func madvise(addr, size uintptr, advice int) error {
	_, _, errno := syscall.Syscall(syscall.SYS_MADVISE, addr, size, uintptr(advice))
	if errno != 0 {
		return errno
	}
	return nil
}

// labFault is the kernel's list of the arrays it measures distances to.
type labFault struct {
	f    *os.File
	last array
}

// openLabFault returns nil where the kernel has no such list.
func openLabFault() *labFault {
	f, err := os.OpenFile("/sys/kernel/debug/lab_fault/buckets", os.O_WRONLY, 0)
	if err != nil {
		return nil
	}
	return &labFault{f: f}
}

// tell adds the arrays, unless they are the ones told last.
func (l *labFault) tell(arrays []array) {
	if l == nil || len(arrays) == 0 || arrays[0] == l.last {
		return
	}
	l.last = arrays[0]
	for _, a := range arrays {
		fmt.Fprintf(l.f, "%#x %d\n", a.base, a.size)
	}
}

// at turns an address outside Go's heap into a pointer. Its memory is never
// moved or freed.
func at(addr uintptr) unsafe.Pointer { return *(*unsafe.Pointer)(unsafe.Pointer(&addr)) }
