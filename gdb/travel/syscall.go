package travel

import (
	"encoding/binary"
	"strings"

	"github.com/go-delve/delve/pkg/proc/linutil"

	"ghostlab/gdb/symbols"
)

// Kernel knows the guest's kernel by its symbols.
type Kernel struct {
	at    map[string]uint64
	names map[uint64]string
}

// OpenKernel reads the symbols of a vmlinux.
func OpenKernel(vmlinux string) (*Kernel, error) {
	all, err := symbols.Read(vmlinux)
	if err != nil {
		return nil, err
	}
	k := &Kernel{at: map[string]uint64{}, names: map[uint64]string{}}
	for _, s := range all {
		k.at[s.Name] = s.Value
		if strings.HasPrefix(s.Name, handler) {
			k.names[s.Value] = strings.TrimPrefix(s.Name, handler)
		}
	}
	return k, nil
}

// handler is what the kernel's function for a system call begins with
// (arch/arm64/include/asm/syscall_wrapper.h). Its argument is the program's
// registers, a struct pt_regs, which begins with a user_pt_regs.
const handler = "__arm64_sys_"

// Handlers are points at which the kernel begins to carry out system calls.
// Those that it does not have are left out.
func (k *Kernel) Handlers(calls ...string) (points []Point) {
	for _, c := range calls {
		if at, ok := k.at[handler+c]; ok {
			points = append(points, At(at))
		}
	}
	return points
}

// Function is a point at the beginning of one of the kernel's functions.
func (k *Kernel) Function(name string) (Point, bool) {
	at, ok := k.at[name]
	return At(at), ok
}

// Call is a system call.
type Call struct {
	// Name is as in its manual page.
	Name string
	Args [6]uint64
}

// Caller makes the machine show the program as it was when it made the system
// call that the kernel is about to carry out, until the machine moves. The
// machine stands at one of the Handlers.
func (m *Machine) Caller(k *Kernel) (*Call, error) {
	r, err := m.Registers()
	if err != nil {
		return nil, err
	}
	const words = 31 + 2 // x0 to x30, sp, pc
	var b [8 * words]byte
	if err := m.Read(b[:], r.Regs[0]); err != nil {
		return nil, err
	}
	then := linutil.ARM64PtraceRegs{Sp: binary.LittleEndian.Uint64(b[31*8:]), Pc: binary.LittleEndian.Uint64(b[32*8:])}
	for i := range then.Regs {
		then.Regs[i] = binary.LittleEndian.Uint64(b[i*8:])
	}
	c := &Call{Name: k.names[r.Pc]}
	copy(c.Args[:], then.Regs[:])
	m.suppose(then)
	return c, nil
}

// stackSize is more than a kernel stack of arm64 has with 4 KiB pages
// (arch/arm64/include/asm/memory.h, THREAD_SIZE).
const stackSize = 16 << 10

// Called goes back from a moment of the kernel's to where its thread entered it
// and makes the machine show the program there, until the machine moves. It
// returns false where that was not by a system call. Its name is empty where the
// kernel's symbols do not tell.
func (m *Machine) Called(k *Kernel) (*Call, bool, error) {
	r, err := m.Registers()
	if err != nil {
		return nil, false, err
	}
	sp := r.Sp
	entries, err := m.Entries()
	if err != nil || len(entries) == 0 {
		return nil, false, err
	}
	err = m.Last(func() (bool, error) {
		r, err := m.Registers()
		return err == nil && r.Sp >= sp && r.Sp-sp < stackSize, err
	}, entries...)
	if err != nil {
		return nil, false, err
	}
	reason, _, err := m.Interrupted()
	if err != nil || reason != SystemCall {
		return nil, false, err
	}
	c := &Call{}
	copy(c.Args[:], m.seen.Regs[:])
	number := m.seen.Regs[8]
	if table, ok := k.at["sys_call_table"]; ok && number < 1<<10 {
		to, err := m.Uint(table+8*number, 8)
		if err != nil {
			return nil, false, err
		}
		c.Name = k.names[to]
	}
	return c, true, nil
}
