package travel

import (
	"github.com/go-delve/delve/pkg/proc"
	"github.com/go-delve/delve/pkg/proc/linutil"
)

// Reason says what took the vCPU from a goroutine.
type Reason string

const (
	Interrupt  Reason = "an interrupt"
	SystemCall Reason = "a system call"
	PageFault  Reason = "a page fault"
	Exception  Reason = "an exception"
	// Switch is the Go scheduler's choice, without the kernel.
	Switch Reason = "the Go scheduler"
)

// Offsets of the vectors for exceptions from 64-bit programs (Arm Architecture
// Reference Manual, D1.3.1.5, "Exception vectors").
const (
	vectorSync = 0x400
	vectorIRQ  = 0x480
	vectorFIQ  = 0x500
)

// vectors is the address of the kernel's exception vectors, 0 where the stub
// does not tell. QEMU 7.2 names the register as its 32-bit machines do.
func (m *Machine) vectors() (uint64, error) { return m.system("VBAR_EL1", "VBAR") }

// Entries are the points at which programs enter the kernel, none where the
// stub does not tell.
func (m *Machine) Entries() ([]Point, error) {
	base, err := m.vectors()
	if err != nil || base == 0 {
		return nil, err
	}
	return []Point{At(base + vectorSync), At(base + vectorIRQ), At(base + vectorFIQ)}, nil
}

// Interrupted makes the machine show the program as it was when it entered the
// kernel, until the machine moves. It stands at one of the Entries. It returns
// false elsewhere.
func (m *Machine) Interrupted() (Reason, bool, error) {
	r, err := m.Registers()
	if err != nil {
		return "", false, err
	}
	base, err := m.vectors()
	if err != nil {
		return "", false, err
	}
	reason := Interrupt
	switch r.Pc - base {
	case vectorSync:
		syndrome, err := m.system("ESR_EL1")
		if err != nil {
			return "", false, err
		}
		reason = exception(syndrome)
	case vectorIRQ, vectorFIQ:
	default:
		return "", false, nil
	}
	then := *r
	if then.Pc, err = m.system("ELR_EL1"); err == nil {
		then.Sp, err = m.system("SP_EL0")
	}
	if err != nil {
		return "", false, err
	}
	m.suppose(then)
	return reason, true, nil
}

// PC is the instruction at which the machine shows the program, 0 where it cannot
// be read.
func (m *Machine) PC() uint64 {
	if m.seen != nil {
		return m.seen.Pc
	}
	r, err := m.Registers()
	if err != nil {
		return 0
	}
	return r.Pc
}

// Suppose makes the machine show the program as if it stood at another
// instruction with another stack pointer, until the machine moves.
func (m *Machine) Suppose(pc, sp uint64) {
	then := linutil.ARM64PtraceRegs{Pc: pc, Sp: sp}
	if m.regs != nil {
		then.Regs = m.regs.Regs
	}
	m.suppose(then)
}

func (m *Machine) suppose(then linutil.ARM64PtraceRegs) {
	m.target.ClearCaches()
	m.cpu.common = proc.CommonThread{}
	m.seen = &then
}

// exception names an exception by the class in its syndrome (ESR_EL1.EC).
func exception(syndrome uint64) Reason {
	switch syndrome >> 26 & 0x3f {
	case 0x15: // SVC from AArch64
		return SystemCall
	case 0x20, 0x24: // instruction and data abort from a lower level
		return PageFault
	}
	return Exception
}
