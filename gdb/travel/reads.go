package travel

import (
	"strings"

	"golang.org/x/arch/arm64/arm64asm"
)

// Reads says whether the instruction uses the value that a register has before it.
// One that is not known reads none.
func (i Insn) Reads(r int) bool {
	if !i.known {
		return false
	}
	for n, a := range i.inst.Args {
		switch a := a.(type) {
		case nil:
			return false
		case arm64asm.MemImmediate:
			if number(a.Base) == r {
				return true
			}
		case arm64asm.MemExtend:
			if number(a.Base) == r || number(a.Index) == r {
				return true
			}
		case arm64asm.RegExtshiftAmount:
			if named(a.String()) == r {
				return true
			}
		default:
			given := n == 0 && !reading.MatchString(i.op()) || i.Load() && (n == 0 || n == 1 && strings.HasPrefix(i.op(), "LDP"))
			if !given && number(a) == r {
				return true
			}
		}
	}
	return false
}
