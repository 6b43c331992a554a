package travel

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/go-delve/delve/pkg/proc/linutil"
	"golang.org/x/arch/arm64/arm64asm"
)

// Load says whether the instruction reads memory into a register, Store whether
// it writes to memory. Atomic ones do both.
func (i Insn) Load() bool {
	op := i.op()
	return strings.HasPrefix(op, "LD") || i.atomic && !strings.HasPrefix(op, "ST")
}

func (i Insn) Store() bool {
	return strings.HasPrefix(i.op(), "ST") || i.atomic || i.zeroes()
}

// zeroes says whether it clears a line of the cache.
func (i Insn) zeroes() bool { return i.known && i.enc&^31 == 0xd50b7420 } // dc zva

// CompareAndSwap says whether it writes only where memory holds what is expected.
func (i Insn) CompareAndSwap() bool { return i.atomic && strings.HasPrefix(i.op(), "CAS") }

// Access is what an instruction does to memory.
type Access struct {
	// Addr is the address of the word of the first register, Size the bytes of
	// each register's.
	Addr uint64
	Size int
	// Base and Index are the registers that the address is made of, or None.
	Base, Index int
	// Regs are those that are read or written, in the order of their words: of an
	// atomic instruction those that get what was there. None is one without a
	// register, or with parts of several.
	Regs []int
}

var offset = regexp.MustCompile(`#(-?\d+)`)

// Access says which memory the instruction uses, with the registers as they are
// before it.
func (i Insn) Access(regs *linutil.ARM64PtraceRegs) (Access, bool) {
	if !i.Load() && !i.Store() {
		return Access{}, false
	}
	a := Access{Base: None, Index: None}
	for _, arg := range i.args() {
		switch m := arg.(type) {
		case arm64asm.MemImmediate:
			a.Base, a.Addr = number(m.Base), value(m.Base, regs)
			if at := offset.FindStringSubmatch(m.String()); at != nil && (m.Mode == arm64asm.AddrOffset || m.Mode == arm64asm.AddrPreIndex) {
				n, _ := strconv.ParseInt(at[1], 10, 64)
				a.Addr += uint64(n)
			}
		case arm64asm.MemExtend:
			a.Base, a.Index = number(m.Base), number(m.Index)
			a.Addr = value(m.Base, regs) + extended(m, regs)
		case arm64asm.PCRel:
			a.Addr = i.Addr + uint64(m)
		}
	}
	a.Regs, a.Size = i.moved()
	if a.Base == None && a.Addr == 0 || len(a.Regs) == 0 {
		return Access{}, false
	}
	return a, true
}

// data are the operands of a load or a store that are read from memory or written
// to it. Of an atomic instruction those that are read.
func (i Insn) data() (args []arm64asm.Arg) {
	for _, a := range i.args() {
		switch a.(type) {
		case arm64asm.Reg, arm64asm.RegisterWithArrangement, arm64asm.RegisterWithArrangementAndIndex:
			args = append(args, a)
		}
	}
	switch op := i.op(); {
	case i.CompareAndSwap():
		args = args[:len(args)/2]
	case i.atomic:
		args = args[len(args)-1:]
	case exclusive.MatchString(op):
		args = args[1:] // the first tells if it succeeded
	}
	return args
}

var exclusive = regexp.MustCompile(`^STL?X`)

// moved are the registers of data in the order of their words, and the size of each
// one's word.
func (i Insn) moved() (regs []int, size int) {
	size = 8
	for _, a := range i.data() {
		switch a := a.(type) {
		case arm64asm.Reg:
			regs = append(regs, number(a))
			switch {
			case a <= arm64asm.WZR, a >= arm64asm.S0 && a <= arm64asm.S31:
				size = 4
			case a >= arm64asm.B0 && a <= arm64asm.B31:
				size = 1
			case a >= arm64asm.H0 && a <= arm64asm.H31:
				size = 2
			case a >= arm64asm.Q0 && a <= arm64asm.Q31:
				regs = append(regs, number(a)+1)
			}
		case arm64asm.RegisterWithArrangement:
			text := a.String()
			for _, r := range vectors(text) {
				regs = append(regs, r)
				if whole.MatchString(text) {
					regs = append(regs, r+1)
				}
			}
		case arm64asm.RegisterWithArrangementAndIndex:
			regs = append(regs, vectors(a.String())...)
			if e := element.FindStringSubmatch(a.String()); e != nil {
				size = sizes[e[1][0]]
			}
		}
	}
	op := i.op()
	if i.atomic && strings.HasPrefix(op, "ST") || structures.MatchString(op) {
		for n := range regs {
			regs[n] = None
		}
	}
	switch {
	case strings.HasSuffix(op, "B"):
		size = 1
	case strings.HasSuffix(op, "H"):
		size = 2
	case strings.HasSuffix(op, "SW"):
		size = 4
	}
	return regs, size
}

var (
	// whole is an arrangement of 128 bits.
	whole = regexp.MustCompile(`\.(16B|8H|4S|2D)`)
	// structures are loads and stores that take structures apart, or repeat one.
	structures = regexp.MustCompile(`^(LD|ST)([2-4]|1R)`)
)

func value(r arm64asm.RegSP, regs *linutil.ARM64PtraceRegs) uint64 {
	if n := number(r); n != None {
		return regs.Regs[n]
	}
	return regs.Sp
}

func extended(m arm64asm.MemExtend, regs *linutil.ARM64PtraceRegs) uint64 {
	n := number(m.Index)
	if n == None {
		return 0
	}
	v := regs.Regs[n]
	switch m.Extend.String() {
	case "UXTW":
		v = uint64(uint32(v))
	case "SXTW":
		v = uint64(int64(int32(v)))
	}
	if m.ShiftMustBeZero {
		return v
	}
	return v << m.Amount
}
