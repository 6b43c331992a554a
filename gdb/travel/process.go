package travel

import (
	"debug/elf"
	"errors"
	"strings"

	"github.com/go-delve/delve/pkg/dwarf/op"
	"github.com/go-delve/delve/pkg/proc"
	"github.com/go-delve/delve/pkg/proc/linutil"
)

// load makes the machine a target of Delve's that cannot be moved: Delve's own
// debugging needs threads that outlive a moment, and a guest's come and go.
func (m *Machine) load(program string) (*proc.Target, error) {
	f, err := elf.Open(program)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if _, err := f.DWARF(); err != nil || f.Section(".debug_frame") == nil && f.Section(".zdebug_frame") == nil {
		return nil, &SymbolsError{}
	}
	m.entry = f.Entry
	if m.globals, err = globals(f); err != nil {
		return nil, err
	}
	m.fixed = fixed(f)
	m.cpu = &thread{m: m}
	p := &process{m: m}
	_, add := proc.NewGroup(p, proc.NewTargetGroupConfig{})
	return add(p, cpuID, m.cpu, program, proc.StopAttached, "")
}

// cpuID is what Delve knows the vCPU by.
const cpuID = 1

var errFrozen = errors.New("a replay is not changed")

// process is the part of a process that Delve needs in order to look at it. The
// embedded interface is nil: the rest of its methods is for debugging.
type process struct {
	proc.ProcessInternal
	m           *Machine
	breakpoints proc.BreakpointMap
}

func (p *process) BinInfo() *proc.BinaryInfo              { return p.m.bi }
func (p *process) EntryPoint() (uint64, error)            { return 0, nil } // the program is static
func (p *process) ThreadList() []proc.Thread              { return []proc.Thread{p.m.cpu} }
func (p *process) Breakpoints() *proc.BreakpointMap       { return &p.breakpoints }
func (p *process) Memory() proc.MemoryReadWriter          { return memory{p.m} }
func (p *process) Valid() (bool, error)                   { return true, nil }
func (p *process) WriteBreakpoint(*proc.Breakpoint) error { return errFrozen }
func (p *process) EraseBreakpoint(*proc.Breakpoint) error { return errFrozen }
func (p *process) StepInstruction(int) error              { return errFrozen }
func (p *process) Detach(int, bool) error                 { return nil }
func (p *process) Close() error                           { return nil }
func (p *process) FindThread(id int) (proc.Thread, bool)  { return p.m.cpu, id == cpuID }
func (p *process) ContinueOnce(*proc.ContinueOnceContext) (proc.Thread, proc.StopReason, error) {
	return nil, proc.StopUnknown, errFrozen
}

// memory is the moment's.
type memory struct{ m *Machine }

func (r memory) ReadMemory(buf []byte, addr uint64) (int, error) {
	err := r.m.Read(buf, addr)
	// A structure may reach into a page that nobody has touched, which the kernel
	// has not given the program yet: to that it is zero.
	if first := pageSize - addr%pageSize; err != nil && uint64(len(buf)) > first && r.m.Read(buf[:first], addr) == nil {
		clear(buf[first:])
		err = r.m.ctx.Err()
	}
	if err != nil {
		return 0, err
	}
	return len(buf), nil
}

func (memory) WriteMemory(uint64, []byte) (int, error) { return 0, errFrozen }

// thread is the vCPU.
type thread struct {
	m      *Machine
	common proc.CommonThread
}

func (t *thread) Breakpoint() *proc.BreakpointState      { return &proc.BreakpointState{} }
func (t *thread) ThreadID() int                          { return cpuID }
func (t *thread) BinInfo() *proc.BinaryInfo              { return t.m.bi }
func (t *thread) ProcessMemory() proc.MemoryReadWriter   { return memory{t.m} }
func (t *thread) Common() *proc.CommonThread             { return &t.common }
func (t *thread) RestoreRegisters(proc.Registers) error  { return errFrozen }
func (t *thread) SetCurrentBreakpoint(bool) error        { return nil }
func (t *thread) SoftExc() bool                          { return false }
func (t *thread) SetReg(uint64, *op.DwarfRegister) error { return errFrozen }

func (t *thread) Registers() (proc.Registers, error) {
	r := t.m.seen
	if r == nil {
		var err error
		if r, err = t.m.Registers(); err != nil {
			return nil, err
		}
	}
	if !t.m.foreign(r.Pc) {
		return linutil.NewARM64Registers(r, false, 0, nil), nil
	}
	tls, err := t.m.system("TPIDR_EL0")
	return linutil.NewARM64Registers(r, tls != 0, tls, nil), err
}

// foreign says whether the program is at an instruction of C's, or in the signal
// handler of one: C may use the goroutine's register for something else. There the
// goroutine is where runtime.save_g has put it.
func (m *Machine) foreign(pc uint64) bool {
	if m.target == nil || !m.target.IsCgo() {
		return false
	}
	fn := m.bi.PCToFunc(pc)
	if fn == nil || !strings.Contains(fn.Name, ".") || strings.HasPrefix(fn.Name, "C.") {
		return true
	}
	name := strings.TrimSuffix(fn.Name, ".abi0")
	return name == "runtime.sigtramp" || name == "runtime.cgoSigtramp"
}

// SymbolsError says that what a program was compiled from is not known.
type SymbolsError struct{}

func (*SymbolsError) Error() string {
	return "the program has no debug information of a Go runtime: it was stripped, or it is no Go program"
}

// BadInput marks what the user can mend, see usage.IsBadInput.
func (*SymbolsError) BadInput() {}

// Hint says what to do about it.
func (*SymbolsError) Hint() string {
	return "build it without -ldflags '-s -w', run it again and explain that trial"
}
