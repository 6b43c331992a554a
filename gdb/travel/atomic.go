package travel

import (
	"strings"

	"golang.org/x/arch/arm64/arm64asm"
)

// The atomic instructions of Armv8.1 (FEAT_LSE), and the loads with weaker
// ordering of Armv8.3 (FEAT_LRCPC), which the disassembler has not heard of: Arm
// Architecture Reference Manual, C4.1, "Loads and Stores".

var fetching = [8]string{"ADD", "CLR", "EOR", "SET", "SMAX", "SMIN", "UMAX", "UMIN"}

// unheard decodes such an instruction; ok is false for others. Operands are those
// that get what was in memory, or are compared with it, after or before those that
// are written, and then the address.
func unheard(enc uint32) (op string, args arm64asm.Args, ok bool) {
	var (
		size   = enc >> 30
		s, n   = enc >> 16 & 31, enc >> 5 & 31
		t      = enc & 31
		high   = enc>>15&1 == 1 // o3, o0
		memory = arm64asm.MemImmediate{Base: arm64asm.RegSP(arm64asm.X0 + arm64asm.Reg(n)), Mode: arm64asm.AddrOffset}
		width  = ""
		first  = arm64asm.W0
	)
	reg := func(n uint32) arm64asm.Arg { return first + arm64asm.Reg(n) }
	switch size {
	case 0:
		width = "B"
	case 1:
		width = "H"
	case 3:
		first = arm64asm.X0
	}
	order := func(acquire, release bool) (s string) {
		if acquire {
			s = "A"
		}
		if release {
			s += "L"
		}
		return s
	}
	a, l := enc>>23&1 == 1, enc>>22&1 == 1
	switch {
	case enc&0x3f20_0c00 == 0x3820_0000: // atomic memory operations
		opc := enc >> 12 & 7
		switch {
		case high && opc == 0:
			op = "SWP" + order(a, l) + width
		case high && opc == 4 && a && !l && s == 31:
			return "LDAPR" + width, arm64asm.Args{reg(t), memory}, true
		case high:
			return "", args, false
		case t == 31 && !a:
			return "ST" + fetching[opc] + order(a, l) + width, arm64asm.Args{reg(s), memory}, true
		default:
			op = "LD" + fetching[opc] + order(a, l) + width
		}
		return op, arm64asm.Args{reg(s), reg(t), memory}, true
	case enc&0x3fa0_7c00 == 0x08a0_7c00: // compare and swap
		return "CAS" + order(l, high) + width, arm64asm.Args{reg(s), reg(t), memory}, true
	case enc&0xbfa0_7c00 == 0x0820_7c00 && s%2 == 0 && t%2 == 0: // of a pair
		if first = arm64asm.W0; size == 1 {
			first = arm64asm.X0
		}
		return "CASP" + order(l, high), arm64asm.Args{reg(s), reg(s + 1), reg(t), reg(t + 1), memory}, true
	}
	return "", args, false
}

// text is the instruction in Arm's notation.
func text(op string, args arm64asm.Args) string {
	var s []string
	for _, a := range args {
		if a != nil {
			s = append(s, a.String())
		}
	}
	return strings.ToLower(op + " " + strings.Join(s, ", "))
}
