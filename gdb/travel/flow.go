package travel

import (
	"slices"

	"golang.org/x/arch/arm64/arm64asm"
)

// Branch says whether the instruction goes one of two ways, by a register or by
// the flags that a comparison has left.
func (i Insn) Branch() bool {
	switch i.op() {
	case "CBZ", "CBNZ", "TBZ", "TBNZ":
		return true
	case "B":
		_, conditional := i.inst.Args[0].(arm64asm.Cond)
		return conditional
	}
	return false
}

// Ends says whether the instruction never goes on with the next.
func (i Insn) Ends() bool {
	switch i.op() {
	case "B":
		return !i.Branch()
	case "BR", "RET", "BRK", "HLT":
		return true
	}
	return false
}

// Flagged says whether the instruction does what flags say: a branch, or one
// that gives a register one of two values.
func (i Insn) Flagged() bool {
	return i.op() == "B" && i.Branch() || flagged[i.op()]
}

var flagged = map[string]bool{
	"CSET": true, "CSETM": true, "CSEL": true, "CSINC": true, "CSINV": true, "CSNEG": true, "CINC": true, "CINV": true, "CNEG": true,
	"FCSEL": true, "CCMP": true, "CCMN": true, "FCCMP": true, "FCCMPE": true,
}

// Compares says whether the instruction leaves flags.
func (i Insn) Compares() bool {
	switch i.op() {
	case "CMP", "CMN", "TST", "CCMP", "CCMN", "FCMP", "FCMPE", "FCCMP", "FCCMPE":
		return true
	}
	return i.computes()
}

// computes says whether it gives a register a value too.
func (i Insn) computes() bool {
	switch i.op() {
	case "ADDS", "SUBS", "ANDS", "BICS", "NEGS", "ADCS", "SBCS", "NGCS":
		return true
	}
	return false
}

// Compared returns the registers that a comparison or a branch looks at.
func (i Insn) Compared() []int {
	args := i.args()
	if i.computes() {
		return registers(args[1:])
	}
	return registers(args[:])
}

// Flags returns those of a body's instructions that left the flags which the
// one at addr goes by, the last first: comparisons may hang on others.
func Flags(body []Insn, addr uint64) (comparisons []Insn) {
	n := slices.IndexFunc(body, func(i Insn) bool { return i.Addr == addr })
	for ; n > 0; n-- {
		if i := body[n-1]; i.Compares() {
			comparisons = append(comparisons, i)
			if !i.Flagged() {
				break
			}
		}
	}
	return comparisons
}

// Decides says whether it is up to the branch if the instruction at addr, of the
// same body, is reached: one of its ways leads out of the function, or back to
// the branch, without it. Calls for which final is true do not return.
func Decides(body []Insn, branch Insn, addr uint64, final func(call Insn) bool) bool {
	index := func(addr uint64) int {
		return slices.IndexFunc(body, func(i Insn) bool { return i.Addr == addr })
	}
	seen := map[int]bool{}
	ways := []int{index(branch.Addr + 4), index(branch.Target())}
	for len(ways) > 0 {
		n := ways[len(ways)-1]
		ways = ways[:len(ways)-1]
		if n < 0 || seen[n] || body[n].Addr == addr {
			continue
		}
		seen[n] = true
		i := body[n]
		switch {
		case i.Addr == branch.Addr || i.Jump() != None && !i.Call():
			return true
		case i.Call() && final(i):
			continue
		case i.Branch() || i.op() == "B":
			to := index(i.Target())
			if to < 0 {
				return true
			}
			ways = append(ways, to)
		}
		if !i.Ends() && n+1 < len(body) {
			ways = append(ways, n+1)
		}
	}
	return false
}
