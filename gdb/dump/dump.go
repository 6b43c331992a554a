// Package dump completes the memory dumps that QEMU writes of arm64 guests. It
// knows their ELF form, not kdump's.
package dump

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"regexp"
	"strconv"
)

// MapKernel adds to an ELF dump the addresses that the kernel's image has for
// itself. For arm64 QEMU writes those of the physical memory only: gdb then shows
// variables as they are in vmlinux, and drgn 0.0.22 does not find the page table,
// whose address is one of the image's. A dump of a kernel that has not yet said
// where it lies stays as it is.
func MapKernel(file, vmlinux string) error {
	if err := os.Chmod(file, 0o600); err != nil { // QEMU leaves it read-only
		return err
	}
	f, err := os.OpenFile(file, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	dump, err := elf.NewFile(f)
	if err != nil {
		return fmt.Errorf("read the dump %s: %w", file, err)
	}
	kernel, err := elf.Open(vmlinux)
	if err != nil {
		return fmt.Errorf("read %s: %w", vmlinux, err)
	}
	defer kernel.Close()
	offset, moved, ok := imageOffset(dump)
	if !ok {
		return nil
	}
	var more []elf.Prog64
	for _, image := range kernel.Progs {
		addr := image.Vaddr + moved
		for _, ram := range dump.Progs {
			at := addr - offset
			if image.Type != elf.PT_LOAD || ram.Type != elf.PT_LOAD || at < ram.Paddr || at-ram.Paddr >= ram.Filesz {
				continue
			}
			size := min(image.Memsz, ram.Filesz-(at-ram.Paddr))
			more = append(more, elf.Prog64{
				Type: uint32(elf.PT_LOAD), Flags: uint32(image.Flags), Off: ram.Off + at - ram.Paddr,
				Vaddr: addr, Paddr: at, Filesz: size, Memsz: size,
			})
		}
	}
	return appendPrograms(f, more)
}

var (
	kimageOffset = regexp.MustCompile(`(?m)^NUMBER\(kimage_voffset\)=0x([0-9a-f]+)$`)
	kernelOffset = regexp.MustCompile(`(?m)^KERNELOFFSET=([0-9a-f]+)$`)
)

// imageOffset returns by how much the addresses of the kernel's image are higher
// than the physical ones, and by how much higher than in vmlinux: what
// VMCOREINFO says (arch/arm64/kernel/crash_core.c).
func imageOffset(dump *elf.File) (offset, moved uint64, ok bool) {
	for _, p := range dump.Progs {
		if p.Type != elf.PT_NOTE {
			continue
		}
		notes, err := io.ReadAll(p.Open())
		if err != nil {
			continue
		}
		if m := kimageOffset.FindSubmatch(notes); m != nil {
			offset, err = strconv.ParseUint(string(m[1]), 16, 64)
			ok = err == nil
		}
		if m := kernelOffset.FindSubmatch(notes); m != nil {
			moved, _ = strconv.ParseUint(string(m[1]), 16, 64) // 0 where it is too long
		}
	}
	return offset, moved, ok
}

// appendPrograms gives an ELF file of 64 bits more program headers: a new table
// of them at its end.
func appendPrograms(f *os.File, more []elf.Prog64) error {
	var header elf.Header64
	if err := binary.Read(io.NewSectionReader(f, 0, 64), binary.LittleEndian, &header); err != nil {
		return err
	}
	table := make([]elf.Prog64, header.Phnum)
	if err := binary.Read(io.NewSectionReader(f, int64(header.Phoff), int64(header.Phnum)*int64(header.Phentsize)), binary.LittleEndian, table); err != nil {
		return err
	}
	table = append(table, more...)
	end, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	end = (end + 7) &^ 7
	var text, head bytes.Buffer
	header.Phoff, header.Phnum = uint64(end), uint16(len(table))
	binary.Write(&text, binary.LittleEndian, table)
	binary.Write(&head, binary.LittleEndian, header)
	if _, err := f.WriteAt(text.Bytes(), end); err != nil {
		return err
	}
	_, err = f.WriteAt(head.Bytes(), 0)
	return err
}
