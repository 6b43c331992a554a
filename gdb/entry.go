package gdb

import (
	"debug/elf"
	"encoding/binary"
	"os"
	"regexp"
	"slices"
	"strings"

	"ghostlab/gdb/symbols"
)

// entryPoint matches the kernel's exception vectors, the assembler between a
// program and the kernel's C (arch/arm64/kernel/entry.S, since 5.14). Each pushes
// a struct pt_regs, so that SP is its address when C is called.
var entryPoint = regexp.MustCompile(`^el[01][th]_(64|32)_(sync|irq|fiq|error)$`)

// writeEntryFrames writes an object file with the call frame information that the
// kernel lacks for its entry points. With it a back trace goes on from kernel
// to program. Its frames are signal frames: a stack may go on anywhere else
// after one, and the address is that of an instruction, not of a return.
func writeEntryFrames(vmlinux, file string) error {
	kernel, err := symbols.Read(vmlinux)
	if err != nil {
		return err
	}
	frames := entryCIE()
	for _, s := range kernel {
		if entryPoint.MatchString(s.Name) && s.Size > 0 {
			frames = append(frames, fde(s.Value, s.Size)...)
		}
	}
	return os.WriteFile(file, object(frames), 0o600)
}

// DWARF's numbers of arm64's registers (AADWARF64, section 4.1) and its
// instructions (DWARF 5, section 7.24).
const (
	dwarfSP, dwarfPC = 31, 32
	defCFA           = 0x0c
	offset           = 0x80
)

// entryCIE says that all registers are in a struct user_pt_regs at SP: x0 to x30,
// sp, pc (arch/arm64/include/uapi/asm/ptrace.h).
func entryCIE() []byte {
	b := []byte{0xff, 0xff, 0xff, 0xff} // a CIE
	b = append(b, 1)                    // version
	b = append(b, "S\x00"...)           // of signal frames
	b = append(b, 1, 8, dwarfPC)        // code and data alignment, the return address
	b = append(b, defCFA, dwarfSP, 0)
	for r := byte(0); r <= dwarfPC; r++ {
		b = append(b, offset|r, r)
	}
	return entry(b)
}

func fde(start, size uint64) []byte {
	b := make([]byte, 4) // its CIE is the one at 0
	b = binary.LittleEndian.AppendUint64(b, start)
	return entry(binary.LittleEndian.AppendUint64(b, size))
}

// entry pads b with DW_CFA_nop and puts its length before it.
func entry(b []byte) []byte {
	for len(b)%8 != 4 {
		b = append(b, 0)
	}
	return append(binary.LittleEndian.AppendUint32(nil, uint32(len(b))), b...)
}

// object is an ELF file with that section .debug_frame. It has a symbol, too:
// gdb warns of files without any.
func object(frames []byte) []byte {
	const names = "\x00.debug_frame\x00.symtab\x00.strtab\x00kernel entry\x00"
	symbols := make([]byte, elf.Sym64Size, 2*elf.Sym64Size)
	symbols, _ = binary.Append(symbols, binary.LittleEndian, elf.Sym64{
		Name: uint32(strings.Index(names, "kernel")), Shndx: uint16(elf.SHN_ABS),
	})
	body := slices.Concat(frames, symbols, []byte(names))
	for len(body)%8 != 0 {
		body = append(body, 0)
	}
	const head = 64 // both headers' size
	at := uint64(head + len(frames))
	section := func(name string, kind elf.SectionType, at uint64, size int) elf.Section64 {
		return elf.Section64{Name: uint32(strings.Index(names, name)), Type: uint32(kind), Off: at, Size: uint64(size), Addralign: 1}
	}
	sections := []elf.Section64{
		{},
		section(".debug_frame", elf.SHT_PROGBITS, head, len(frames)),
		section(".symtab", elf.SHT_SYMTAB, at, len(symbols)),
		section(".strtab", elf.SHT_STRTAB, at+uint64(len(symbols)), len(names)),
	}
	sections[2].Link, sections[2].Info, sections[2].Entsize = 3, 1, elf.Sym64Size
	header := elf.Header64{
		Ident: [elf.EI_NIDENT]byte{0x7f, 'E', 'L', 'F', byte(elf.ELFCLASS64), byte(elf.ELFDATA2LSB), byte(elf.EV_CURRENT)},
		Type:  uint16(elf.ET_EXEC), Machine: uint16(elf.EM_AARCH64), Version: uint32(elf.EV_CURRENT),
		Ehsize: head, Shoff: uint64(head + len(body)), Shentsize: head, Shnum: uint16(len(sections)), Shstrndx: 3,
	}
	out, _ := binary.Append(nil, binary.LittleEndian, header)
	out = append(out, body...)
	out, _ = binary.Append(out, binary.LittleEndian, sections)
	return out
}
