package travel

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/go-delve/delve/pkg/proc/linutil"
	"golang.org/x/arch/arm64/arm64asm"
)

// Insn is an instruction of the program. Registers are numbers: 0 to 30 are x0
// to x30, and None stands for no register, the zero register and the stack
// pointer.
type Insn struct {
	Addr uint64
	enc  uint32
	inst arm64asm.Inst
	// known is not set for instructions that the disassembler has not heard of,
	// such as the atomic ones of Armv8.1.
	known bool
}

// None is no register.
const None = -1

// Insn reads the instruction at an address.
func (m *Machine) Insn(addr uint64) (Insn, error) {
	var b [4]byte
	if err := m.Read(b[:], addr); err != nil {
		return Insn{}, err
	}
	i := Insn{Addr: addr, enc: uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16 | uint32(b[3])<<24}
	var err error
	i.inst, err = arm64asm.Decode(b[:])
	i.known = err == nil
	return i, nil
}

// Body returns the instructions of the function that has addr, nil where that is
// none of the program's.
func (m *Machine) Body(addr uint64) ([]Insn, error) {
	fn := m.bi.PCToFunc(addr)
	if fn == nil {
		return nil, nil
	}
	var body []Insn
	for at := fn.Entry; at < fn.End; at += 4 {
		i, err := m.Insn(at)
		if err != nil {
			return nil, err
		}
		body = append(body, i)
	}
	return body, nil
}

// In returns the name and the first instruction of the function that has addr.
func (m *Machine) In(addr uint64) (name string, entry uint64, ok bool) {
	fn := m.bi.PCToFunc(addr)
	if fn == nil {
		return "", 0, false
	}
	return fn.Name, fn.Entry, true
}

// Line is the number of the source line that an instruction is of, 0 where that
// is not known.
func (m *Machine) Line(addr uint64) int {
	_, line, _ := m.bi.PCToLine(addr)
	return line
}

// String is the instruction in Arm's notation.
func (i Insn) String() string {
	if !i.known {
		return "an instruction " + strconv.FormatUint(uint64(i.enc), 16)
	}
	return strings.ToLower(arm64asm.GNUSyntax(i.inst))
}

func number(a arm64asm.Arg) int {
	r, ok := a.(arm64asm.Reg)
	if !ok {
		sp, ok := a.(arm64asm.RegSP)
		if !ok {
			return None
		}
		r = arm64asm.Reg(sp)
		if r == arm64asm.WZR || r == arm64asm.XZR {
			return None // the stack pointer here
		}
	}
	switch {
	case r < arm64asm.WZR:
		return int(r - arm64asm.W0)
	case r >= arm64asm.X0 && r < arm64asm.XZR:
		return int(r - arm64asm.X0)
	}
	return None
}

// Known says whether the disassembler has heard of the instruction.
func (i Insn) Known() bool { return i.known }

func (i Insn) op() string {
	if !i.known {
		return ""
	}
	return i.inst.Op.String()
}

// Call says whether it is a call.
func (i Insn) Call() bool { return i.op() == "BL" || i.op() == "BLR" }

// Target is where a call or a branch to a constant address goes, 0 for others.
func (i Insn) Target() uint64 {
	for _, a := range i.inst.Args {
		if rel, ok := a.(arm64asm.PCRel); ok && i.known {
			return i.Addr + uint64(rel)
		}
	}
	return 0
}

// Jump is the register that a call, a branch or a return goes to, or None.
func (i Insn) Jump() int {
	switch i.op() {
	case "BLR", "BR":
		return number(i.inst.Args[0])
	case "RET":
		if r := number(i.inst.Args[0]); r != None {
			return r
		}
		return 30
	}
	return None
}

// reading are instructions whose first operand is not what they set.
var reading = regexp.MustCompile(`^(?:STR|STP|STUR|STNP|STLR|STTR|CMP|CMN|TST|CCM|FCMP|FCCMP|CB|TB|B$|B\.|BL|BR|RET|PRF|NOP|HINT|D[MS]B|ISB|SVC|BRK|HLT|MSR|SYS|DC|IC|ERET|CLREX)`)

// Sets says whether the instruction gives a register a value. One that is not
// known sets all registers that it may name.
func (i Insn) Sets(r int) bool {
	if !i.known {
		return int(i.enc&31) == r || int(i.enc>>16&31) == r
	}
	if i.writesBack(r) {
		return true
	}
	op := i.op()
	if reading.MatchString(op) {
		return false
	}
	if number(i.inst.Args[0]) == r {
		return true
	}
	return strings.HasPrefix(op, "LDP") && number(i.inst.Args[1]) == r
}

func (i Insn) writesBack(r int) bool {
	for _, a := range i.inst.Args {
		if m, ok := a.(arm64asm.MemImmediate); ok && m.Mode != arm64asm.AddrOffset {
			return number(m.Base) == r
		}
	}
	return false
}

// Load says whether the instruction reads memory into a register, Store whether
// it writes a register to memory.
func (i Insn) Load() bool  { return strings.HasPrefix(i.op(), "LD") }
func (i Insn) Store() bool { return strings.HasPrefix(i.op(), "ST") }

// Copies returns the registers that the value of r comes from, where the
// instruction computes it from others: None for what is no register.
func (i Insn) Copies() (from []int) {
	if i.Load() || i.Call() {
		return nil
	}
	return i.registers(i.inst.Args[1:])
}

func (i Insn) registers(args []arm64asm.Arg) (rs []int) {
	if !i.known {
		return nil
	}
	for _, a := range args {
		if a == nil {
			break
		}
		n := number(a)
		if ext, ok := a.(arm64asm.RegExtshiftAmount); ok {
			n = named(ext.String())
		}
		if n != None {
			rs = append(rs, n)
		}
	}
	return rs
}

// named is the number of the register that an operand's text begins with: the
// package keeps it to itself.
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

// Access is what an instruction does to memory.
type Access struct {
	// Addr is the address of the word of the first register, Size the bytes of
	// each register's.
	Addr uint64
	Size int
	// Base and Index are the registers that the address is made of, or None.
	Base, Index int
	// Regs are those that are read or written, in the order of their words.
	Regs []int
}

var offset = regexp.MustCompile(`#(-?\d+)`)

// Access says which memory the instruction uses, with the registers as they are
// before it.
func (i Insn) Access(regs *linutil.ARM64PtraceRegs) (Access, bool) {
	if !i.known || !i.Load() && !i.Store() {
		return Access{}, false
	}
	a := Access{Base: None, Index: None}
	for _, arg := range i.inst.Args {
		switch m := arg.(type) {
		case arm64asm.Reg:
			a.Regs = append(a.Regs, number(m))
		case arm64asm.MemImmediate:
			a.Base, a.Addr = number(m.Base), value(m.Base, regs)
			if at := offset.FindStringSubmatch(m.String()); at != nil && (m.Mode == arm64asm.AddrOffset || m.Mode == arm64asm.AddrPreIndex) {
				n, _ := strconv.ParseInt(at[1], 10, 64)
				a.Addr += uint64(n)
			}
		case arm64asm.MemExtend:
			a.Base, a.Index = number(m.Base), number(m.Index)
			a.Addr = value(m.Base, regs) + extended(m, regs)
		}
	}
	if a.Base == None && a.Addr == 0 || len(a.Regs) == 0 {
		return Access{}, false
	}
	op := i.op()
	if strings.HasPrefix(op, "STXR") || strings.HasPrefix(op, "STLXR") {
		a.Regs = a.Regs[1:] // the first tells if it succeeded
	}
	a.Size = 8
	switch first, _ := i.inst.Args[0].(arm64asm.Reg); {
	case strings.HasSuffix(op, "B"):
		a.Size = 1
	case strings.HasSuffix(op, "H"):
		a.Size = 2
	case strings.HasSuffix(op, "SW") || first <= arm64asm.WZR:
		a.Size = 4
	}
	return a, true
}

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
