package ends

import (
	"context"
	"debug/elf"
	"encoding/binary"
	"fmt"
	"io"

	"ghostlab/gdb/rsp"
)

// layout is what a core needs of a kernel's structures.
type layout struct {
	stack, pid, threadNode, mm uint64 // of task_struct
	threads                    uint64 // of signal_struct
	pgd                        uint64 // of mm_struct
	stackSize, regsSize        uint64 // of a thread's kernel stack, and of struct pt_regs at its end
	memStart                   uint64 // address of memstart_addr
}

// The kernel's linear map begins at linear where addresses have 48 bits; pages
// are of 4 KiB (arch/arm64/include/asm/memory.h, the lab's configuration).
const (
	linear   = 0xffff_0000_0000_0000
	pageSize = 4096
	// largest is the most memory of one program that goes into a core.
	largest = 512 << 20
)

// Core writes a core of the process that stands at the place: an ELF file as the
// kernel would have written, of the pages that are in memory. Small gaps between
// them are zeros: pages that the program has never touched. The stub must look
// at the CPU that has stopped.
func (p *Place) Core(ctx context.Context, c *rsp.Client, w io.WriterAt) error {
	r := &reader{ctx: ctx, c: c}
	task, err := c.Register(ctx, "SP_EL0")
	if err != nil {
		return fmt.Errorf("the current task: %w", err)
	}
	current := binary.LittleEndian.Uint64(append(task, make([]byte, 8)...))
	notes := note(p.status(r, current))
	head := r.u64(current+p.signal) + p.threads
	for at := r.u64(head); r.err == nil && at != head; at = r.u64(at) {
		if t := at - p.threadNode; t != current {
			notes = append(notes, note(p.status(r, t))...)
		}
	}
	pages := p.pages(r, current)
	if r.err != nil {
		return fmt.Errorf("read the program's memory: %w", r.err)
	}
	return writeCore(w, notes, pages, r)
}

// reader reads a machine's memory until something fails.
type reader struct {
	ctx context.Context
	c   *rsp.Client
	err error
}

func (r *reader) bytes(addr uint64, size int) []byte {
	b := make([]byte, size)
	if r.err == nil {
		r.err = r.c.ReadMemory(r.ctx, addr, b)
	}
	return b
}

func (r *reader) u64(addr uint64) uint64 { return binary.LittleEndian.Uint64(r.bytes(addr, 8)) }

// status is a thread's struct elf_prstatus (include/linux/elfcore.h). Its
// registers are those with which it entered the kernel last.
func (p *Place) status(r *reader, task uint64) []byte {
	const pid, registers, size, userRegs = 32, 112, 392, 34 * 8
	b := make([]byte, size)
	copy(b[pid:], r.bytes(task+p.pid, 4))
	copy(b[registers:], r.bytes(r.u64(task+p.stack)+p.stackSize-p.regsSize, userRegs))
	return b
}

func note(status []byte) []byte {
	b := binary.LittleEndian.AppendUint32(nil, 5)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(status)))
	b = binary.LittleEndian.AppendUint32(b, uint32(elf.NT_PRSTATUS))
	return append(append(b, "CORE\x00\x00\x00\x00"...), status...)
}

// run is a piece of the program's memory.
type run struct{ addr, size uint64 }

// pages walks the program's page tables: what they show is what is in memory.
func (p *Place) pages(r *reader, task uint64) []run {
	start := r.u64(p.memStart)
	var runs []run
	var total uint64
	var walk func(table, addr uint64, shift int)
	walk = func(table, addr uint64, shift int) {
		entries := r.bytes(table, pageSize)
		for i := uint64(0); i < pageSize/8 && r.err == nil && total < largest; i++ {
			e := binary.LittleEndian.Uint64(entries[i*8:])
			at, size := addr+i<<shift, uint64(1)<<shift
			const valid, table, user = 1, 2, 1 << 6 // descriptor bits (Arm ARM, D8.3)
			switch {
			case e&valid == 0:
			case shift > 12 && e&table != 0:
				walk(linear+(e&0x0000_ffff_ffff_f000)-start, at, shift-9)
			case e&user == 0:
			case len(runs) > 0 && runs[len(runs)-1].addr+runs[len(runs)-1].size == at:
				runs[len(runs)-1].size += size
				total += size
			default:
				runs = append(runs, run{at, size})
				total += size
			}
		}
	}
	walk(r.u64(r.u64(task+p.mm)+p.pgd), 0, 39)
	return runs
}

// smallGap is the most that the pages of one segment lie apart.
const smallGap = 4 << 20

// segments are the runs with the small gaps between them.
func segments(runs []run) []run {
	var all []run
	for _, m := range runs {
		if n := len(all); n > 0 && m.addr-(all[n-1].addr+all[n-1].size) <= smallGap {
			all[n-1].size = m.addr + m.size - all[n-1].addr
			continue
		}
		all = append(all, m)
	}
	return all
}

func writeCore(w io.WriterAt, notes []byte, runs []run, r *reader) error {
	const headSize, progSize = 64, 56
	segs := segments(runs)
	at := uint64(headSize + progSize*(len(segs)+1))
	header := elf.Header64{
		Ident: [elf.EI_NIDENT]byte{0x7f, 'E', 'L', 'F', byte(elf.ELFCLASS64), byte(elf.ELFDATA2LSB), byte(elf.EV_CURRENT)},
		Type:  uint16(elf.ET_CORE), Machine: uint16(elf.EM_AARCH64), Version: uint32(elf.EV_CURRENT),
		Phoff: headSize, Ehsize: headSize, Phentsize: progSize, Phnum: uint16(len(segs) + 1), Shentsize: 64,
	}
	progs := []elf.Prog64{{Type: uint32(elf.PT_NOTE), Off: at, Filesz: uint64(len(notes)), Align: 4}}
	at = (at + uint64(len(notes)) + pageSize - 1) &^ (pageSize - 1)
	for _, m := range segs {
		progs = append(progs, elf.Prog64{
			Type: uint32(elf.PT_LOAD), Flags: uint32(elf.PF_R | elf.PF_W | elf.PF_X),
			Off: at, Vaddr: m.addr, Filesz: m.size, Memsz: m.size, Align: pageSize,
		})
		at += m.size
	}
	head, _ := binary.Append(nil, binary.LittleEndian, header)
	head, _ = binary.Append(head, binary.LittleEndian, progs)
	if _, err := w.WriteAt(append(head, notes...), 0); err != nil {
		return err
	}
	seg := 1
	for _, m := range runs {
		for m.addr >= progs[seg].Vaddr+progs[seg].Memsz {
			seg++
		}
		for done := uint64(0); done < m.size; done += pageSize {
			b := r.bytes(m.addr+done, pageSize)
			if r.err != nil {
				return fmt.Errorf("read the program's memory: %w", r.err)
			}
			if _, err := w.WriteAt(b, int64(progs[seg].Off+m.addr+done-progs[seg].Vaddr)); err != nil {
				return err
			}
		}
	}
	return nil
}
