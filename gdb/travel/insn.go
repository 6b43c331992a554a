package travel

import (
	"encoding/binary"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/arch/arm64/arm64asm"
)

// Insn is an instruction of the program. Its registers are numbers, see None.
type Insn struct {
	Addr uint64
	enc  uint32
	inst arm64asm.Inst
	// name is set for instructions that the disassembler has not heard of and we
	// have: see unheard. atomic ones read memory and write it.
	name   string
	atomic bool
	// known is not set for others that it has not heard of.
	known bool
}

// Insn reads the instruction at an address.
func (m *Machine) Insn(addr uint64) (Insn, error) {
	var b [4]byte
	if err := m.Read(b[:], addr); err != nil {
		return Insn{}, err
	}
	return decode(addr, b), nil
}

func decode(addr uint64, b [4]byte) Insn {
	i := Insn{Addr: addr, enc: binary.LittleEndian.Uint32(b[:])}
	var err error
	if i.inst, err = arm64asm.Decode(b[:]); err == nil {
		i.known = true
	} else {
		i.name, i.inst.Args, i.known = unheard(i.enc)
		i.atomic = i.known && !strings.HasPrefix(i.name, "LDAP")
	}
	return i
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
	switch {
	case !i.known:
		return "an instruction " + strconv.FormatUint(uint64(i.enc), 16)
	case i.name != "":
		return text(i.name, i.inst.Args)
	}
	return strings.ToLower(arm64asm.GNUSyntax(i.inst))
}

// Is says whether both are the same one of a program.
func (i Insn) Is(other Insn) bool { return i.Addr == other.Addr }

// Known says whether the disassembler has heard of the instruction.
func (i Insn) Known() bool { return i.known }

func (i Insn) op() string {
	if !i.known || i.name != "" {
		return i.name
	}
	return i.inst.Op.String()
}

// args are the operands, none of an instruction that is not known.
func (i Insn) args() arm64asm.Args { return i.inst.Args }

// Call says whether it is a call.
func (i Insn) Call() bool { return i.op() == "BL" || i.op() == "BLR" }

// Target is where a call or a branch to a constant address goes, 0 for others.
func (i Insn) Target() uint64 {
	for _, a := range i.args() {
		if rel, ok := a.(arm64asm.PCRel); ok {
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
var reading = regexp.MustCompile(`^(?:ST|CMP|CMN|TST|CCM|FCMPE?$|FCCMP|CBN?Z|TBN?Z|B$|BL|BR|RET|PRF|NOP|HINT|D[MS]B|ISB|SVC|HVC|SMC|BRK|HLT|MSR|SYS$|DC|IC$|TLBI|ERET|CLREX)`)

// Sets says whether the instruction gives a register a value. One that is not
// known sets all registers that it may name.
func (i Insn) Sets(r int) bool {
	switch first := int(i.enc & 31); {
	case i.known:
	case i.enc>>25&7 == 7: // of floating point and vectors
		return vector+2*first == lower(r)
	default:
		return i.enc>>16 != 0 && (first == r || int(i.enc>>16&31) == r) // else it is data
	}
	if i.WritesBack(r) {
		return true
	}
	var set []int
	switch op := i.op(); {
	case i.Load():
		set = registers(i.data())
	case exclusive.MatchString(op), !reading.MatchString(op):
		set = registers(i.inst.Args[:1])
	}
	return slices.ContainsFunc(set, func(n int) bool { return lower(n) == lower(r) })
}

// WritesBack says whether the instruction moves a register on by which it finds memory.
func (i Insn) WritesBack(r int) bool {
	for _, a := range i.args() {
		if m, ok := a.(arm64asm.MemImmediate); ok && m.Mode != arm64asm.AddrOffset {
			return number(m.Base) == r
		}
	}
	return false
}

// Copies returns the registers that the value of r comes from, where the
// instruction computes it from others or moves it.
func (i Insn) Copies(r int) (from []int) {
	args := i.args()
	if i.Load() || i.Store() || i.Call() || args[0] == nil {
		return nil
	}
	_, part := args[0].(arm64asm.RegisterWithArrangementAndIndex)
	if part || keeping.MatchString(i.op()) {
		from = append(from, r)
	}
	for _, a := range args[1:] {
		n := number(a)
		if _, whole := a.(arm64asm.RegisterWithArrangement); whole && r > lower(r) {
			n++ // element by element
		}
		if n != None {
			from = append(from, n)
		}
	}
	return from
}

// keeping are instructions that keep some of what they set, or add to it.
var keeping = regexp.MustCompile(`^(MOVK|BF|INS|BSL|BI[TF]|TBX|S[LR]I$|F?ML[AS]|[SU]ML[AS]L|SQDML|[SU]R?SRA|[SU]ABAL?2?$|[SU]ADALP|SHA|AES[DE]$)`)

// Constant says whether the instruction gives a register a value of the program's
// code.
func (i Insn) Constant() bool {
	if !i.known || i.Load() || i.Call() || reading.MatchString(i.op()) || asking.MatchString(i.op()) {
		return false
	}
	return !slices.ContainsFunc(i.inst.Args[1:], func(a arm64asm.Arg) bool {
		return number(a) != None || a == arm64asm.RegSP(arm64asm.SP)
	})
}

// asking are instructions that ask the system, or the flags alone.
var asking = regexp.MustCompile(`^(MRS|SYSL|NGC|ADC|SBC|CSETM?$)`)

// Moves says whether the instruction gives a register the value of another.
func (i Insn) Moves() bool { return i.op() == "MOV" || i.op() == "FMOV" }

// registers are those that operands name, of a list all.
func registers(args []arm64asm.Arg) (rs []int) {
	for _, a := range args {
		if list, ok := a.(arm64asm.RegisterWithArrangement); ok {
			rs = append(rs, vectors(list.String())...)
		} else if n := number(a); n != None {
			rs = append(rs, n)
		}
	}
	return rs
}
