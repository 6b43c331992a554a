// Package travel moves a replayed guest through its time, forwards and
// backwards, and shows the Go program in it wherever it stands: the goroutine
// that runs, its stack with inlined calls, and values by their names and types.
// It drives a gdb stub itself, without a gdb, and reads the program's debug
// information by Delve's packages. What is worth looking at is for
// gdb/explain to know.
package travel

import (
	"context"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/go-delve/delve/pkg/dwarf/regnum"
	"github.com/go-delve/delve/pkg/proc"
	"github.com/go-delve/delve/pkg/proc/linutil"

	"ghostlab/gdb/rsp"
)

// Machine is a guest of one vCPU that follows a log, and is stopped. Its time is
// the number of instructions that QEMU has counted.
type Machine struct {
	ctx    context.Context
	stub   *rsp.Client
	replay Replay
	target *proc.Target
	bi     *proc.BinaryInfo

	globals []elf.Symbol // variables of packages by their addresses
	fixed   []elf.ProgHeader

	// What is known of the moment, forgotten when the machine moves.
	regs  *linutil.ARM64PtraceRegs
	seen  *linutil.ARM64PtraceRegs // what Delve sees instead of regs, see At
	pages map[uint64][]byte
	space uint64

	entry     uint64 // the program's first instruction
	start     int64
	snapshots []int64 // the instructions at which there are others than that of the start
	accessed  int64   // where the last run backwards ended
	cpu       *thread
}

// Replay is the emulator that replays the guest: see vm.Replay.
type Replay interface {
	// GDB is the gdb stub's socket.
	GDB() string
	// Instructions is where the stopped guest stands.
	Instructions() (int64, error)
	// Seek moves it to an instruction.
	Seek(ctx context.Context, instruction int64) error
	// Snapshot makes going back to the moments after this cheap. It may drop an older
	// one for that, whose name it returns.
	Snapshot(name string) (dropped string, err error)
}

// Open takes over a replay that is stopped where its log begins. program is the
// file of the Go program in the guest. The context ends what is under way. Call
// Close in the end.
func Open(ctx context.Context, replay Replay, program string) (*Machine, error) {
	m := &Machine{ctx: ctx, replay: replay, bi: proc.NewBinaryInfo("linux", "arm64", false)}
	var err error
	if m.stub, err = rsp.Dial(ctx, replay.GDB()); err != nil {
		return nil, err
	}
	if !m.stub.Backwards() {
		m.Close()
		return nil, rsp.ErrBackwards
	}
	m.moved()
	if m.start, err = m.Now(); err == nil {
		m.target, err = m.load(program)
	}
	if err != nil {
		m.Close()
		return nil, err
	}
	return m, nil
}

// Close hangs up.
func (m *Machine) Close() { m.stub.Close() }

// Now is the number of instructions at which the machine stands.
func (m *Machine) Now() (int64, error) { return m.replay.Instructions() }

func (m *Machine) moved() {
	m.regs, m.seen, m.pages, m.space = nil, nil, map[uint64][]byte{}, 0
	if m.target != nil {
		m.target.ClearCaches()
		m.cpu.common = proc.CommonThread{}
	}
}

// userRegs are x0 to x30, sp and pc, which are the first in gdb's order for
// aarch64 (org.gnu.gdb.aarch64.core), and then 32 bits of cpsr.
const userRegs = 33

// Registers are the vCPU's.
func (m *Machine) Registers() (*linutil.ARM64PtraceRegs, error) {
	if m.regs != nil {
		return m.regs, nil
	}
	b, err := m.stub.Registers(m.ctx)
	if err != nil {
		return nil, err
	}
	if len(b) < userRegs*8+4 {
		return nil, fmt.Errorf("gdb stub: %d bytes of registers, want at least %d", len(b), userRegs*8+4)
	}
	r := &linutil.ARM64PtraceRegs{}
	for i := range r.Regs {
		r.Regs[i] = binary.LittleEndian.Uint64(b[i*8:])
	}
	r.Sp = binary.LittleEndian.Uint64(b[regnum.ARM64_SP*8:])
	r.Pc = binary.LittleEndian.Uint64(b[32*8:])
	r.Pstate = uint64(binary.LittleEndian.Uint32(b[userRegs*8:]))
	m.regs = r
	return r, nil
}

// User says whether the vCPU executes a program, not the kernel.
func (m *Machine) User() (bool, error) {
	r, err := m.Registers()
	if err != nil {
		return false, err
	}
	return r.Pstate&0xf == 0, nil // PSTATE.M: EL0t
}

// system returns a system register, 0 where the stub does not show it.
func (m *Machine) system(names ...string) (uint64, error) {
	b, err := m.register(8, names...)
	if err != nil || b == nil {
		return 0, err
	}
	return binary.LittleEndian.Uint64(b), nil
}

// register returns a register of at least size bytes, nil where the stub does not
// show it. Stubs know some by another name.
func (m *Machine) register(size int, names ...string) ([]byte, error) {
	for _, name := range names {
		b, err := m.stub.Register(m.ctx, name)
		var refused *rsp.Error
		switch {
		case errors.As(err, &refused):
			continue
		case err != nil:
			return nil, err
		case len(b) < size:
			return nil, fmt.Errorf("gdb stub: register %s has %d bytes, want %d", name, len(b), size)
		}
		return b, nil
	}
	return nil, nil
}

// Space identifies the address space of the moment's program: processes use the
// same addresses, so that a point on one may be reached by another.
func (m *Machine) Space() (uint64, error) {
	if m.space != 0 {
		return m.space, nil
	}
	table, err := m.system("TTBR0_EL1")
	m.space = table & 0xffff_ffff_fffe // BADDR: without the ASID and CnP
	return m.space, err
}

const pageSize = 4 << 10

// Read reads memory of the moment's program.
func (m *Machine) Read(buf []byte, addr uint64) error {
	for len(buf) > 0 {
		base := addr &^ (pageSize - 1)
		page := m.pages[base]
		if page == nil {
			page = make([]byte, pageSize)
			if err := m.stub.ReadMemory(m.ctx, base, page); err != nil {
				return fmt.Errorf("read memory at %#x: %w", addr, err)
			}
			m.pages[base] = page
		}
		n := copy(buf, page[addr-base:])
		buf, addr = buf[n:], addr+uint64(n)
	}
	return nil
}

// Uint reads a little-endian number of size bytes, at most 8.
func (m *Machine) Uint(addr uint64, size int) (uint64, error) {
	var b [8]byte
	err := m.Read(b[:size], addr)
	return binary.LittleEndian.Uint64(b[:]), err
}
