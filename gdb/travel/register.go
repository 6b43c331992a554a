package travel

import (
	"encoding/binary"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"

	"golang.org/x/arch/arm64/arm64asm"
)

// Registers are numbers: 0 to 30 are x0 to x30. Those of floating point and of
// vectors are of 128 bits, and two numbers each: vector+2*n is the lower half of
// vn, which is dn, and the next number its upper half.
const (
	// None stands for no register, the zero register and the stack pointer.
	None   = -1
	vector = 32
)

// lower is the number of the register that r is a half of, or r.
func lower(r int) int {
	if r >= vector {
		return r &^ 1
	}
	return r
}

// Value is what a register holds.
func (m *Machine) Value(register int) (uint64, error) {
	if register < vector {
		r, err := m.Registers()
		if err != nil || register == None {
			return 0, err
		}
		return r.Regs[register], nil
	}
	n := (register - vector) / 2
	// With SVE the stub has z0 to z31, of which v0 to v31 are the first 16 bytes.
	b, err := m.register(16, fmt.Sprintf("v%d", n), fmt.Sprintf("z%d", n))
	if err != nil || b == nil {
		return 0, err
	}
	return binary.LittleEndian.Uint64(b[register%2*8:]), nil
}

// RegisterName is a register's name, as the whole of 64 bits.
func RegisterName(r int) string {
	switch {
	case r < vector:
		return fmt.Sprintf("x%d", r)
	case r%2 == 0:
		return fmt.Sprintf("d%d", (r-vector)/2)
	}
	return fmt.Sprintf("v%d.d[1]", (r-vector)/2)
}

// Shown says what a register that the instruction names holds: a number of
// floating point as one.
func (i Insn) Shown(r int, value uint64) string {
	for _, a := range i.args() {
		a, _ := a.(arm64asm.Reg)
		if r < vector || number(a) != r {
			continue
		}
		switch {
		case a >= arm64asm.S0 && a <= arm64asm.S31:
			return fmt.Sprintf("s%d was %v", a-arm64asm.S0, math.Float32frombits(uint32(value)))
		case a >= arm64asm.D0 && a <= arm64asm.D31:
			return fmt.Sprintf("d%d was %v", a-arm64asm.D0, math.Float64frombits(value))
		}
	}
	return fmt.Sprintf("%s was %#x", RegisterName(r), value)
}

// number is the register that an operand is, or None. Of one that is a list it is
// the first.
func number(a arm64asm.Arg) int {
	switch a := a.(type) {
	case arm64asm.RegSP:
		if r := arm64asm.Reg(a); r != arm64asm.WSP && r != arm64asm.SP {
			return number(r)
		}
	case arm64asm.Reg:
		switch {
		case a < arm64asm.WZR:
			return int(a - arm64asm.W0)
		case a >= arm64asm.X0 && a < arm64asm.XZR:
			return int(a - arm64asm.X0)
		case a >= arm64asm.B0 && a <= arm64asm.V31:
			return vector + 2*(int(a-arm64asm.B0)%32)
		}
	case arm64asm.RegExtshiftAmount:
		return named(a.String())
	case arm64asm.RegisterWithArrangement, arm64asm.RegisterWithArrangementAndIndex:
		if rs := vectors(a.String()); len(rs) > 0 {
			return rs[0]
		}
	}
	return None
}

// named is the number of the general register that an operand's text begins with:
// the package keeps it to itself.
func named(text string) int {
	text = strings.TrimLeft(text, "WX")
	if n := strings.IndexFunc(text, func(c rune) bool { return c < '0' || c > '9' }); n >= 0 {
		text = text[:n]
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		return None
	}
	return n
}

var (
	vectorName = regexp.MustCompile(`V(\d+)`)
	// element is one of a register's: its size and its index.
	element = regexp.MustCompile(`\.([BHSD])[^\[]*\[(\d+)\]`)
	sizes   = map[byte]int{'B': 1, 'H': 2, 'S': 4, 'D': 8}
)

// vectors are the registers of an operand such as V3.16B, V3.D[1] or {V30.2D-V1.2D}.
func vectors(text string) (rs []int) {
	half := 0
	if e := element.FindStringSubmatch(text); e != nil {
		n, _ := strconv.Atoi(e[2])
		half = n * sizes[e[1][0]] / 8
	}
	for _, m := range vectorName.FindAllStringSubmatch(text, -1) {
		n, _ := strconv.Atoi(m[1])
		if len(rs) == 1 && strings.Contains(text, "-") {
			for k := (rs[0]-vector)/2 + 1; k < n; k++ {
				rs = append(rs, vector+2*k)
			}
		}
		rs = append(rs, vector+2*n+half)
	}
	return rs
}
