// Package ends knows where in a kernel a process ends, and tells there how it
// will: before anything of it is gone. It reads the kernel's debug information
// and a stopped machine's registers and memory.
package ends

import (
	"context"
	"debug/dwarf"
	"debug/elf"
	"encoding/binary"
	"fmt"

	"ghostlab/gdb/rsp"
	"ghostlab/gdb/symbols"
)

// function is where every process goes to end, by itself (exit_group) or by a
// signal. Its argument is the wait status (kernel/exit.c).
const function = "do_group_exit"

// Place is that function in one kernel.
type Place struct {
	// Addr is its first instruction.
	Addr uint64

	parent, tgid, signal, flags uint64 // offsets of the kernel's fields
	layout
}

// Find finds the place in a kernel with debug information.
func Find(vmlinux string) (*Place, error) {
	kernel, err := symbols.Read(vmlinux)
	if err != nil {
		return nil, err
	}
	p, stack := &Place{}, uint64(0)
	for _, s := range kernel {
		switch s.Name {
		case function:
			p.Addr = s.Value
		case "memstart_addr":
			p.memStart = s.Value
		case "init_stack":
			stack = s.Value
		case "__end_init_task", "__end_init_stack": // before and since 6.10
			p.stackSize = s.Value
		}
	}
	p.stackSize -= stack
	if p.Addr == 0 {
		return nil, fmt.Errorf("%s has no function %s", vmlinux, function)
	}
	f, err := elf.Open(vmlinux)
	if err != nil {
		return nil, fmt.Errorf("read the debug information: %w", err)
	}
	defer f.Close()
	info, err := f.DWARF()
	if err != nil {
		return nil, fmt.Errorf("read the debug information of %s: %w", vmlinux, err)
	}
	return p, offsets(info, map[string]map[string]*uint64{
		"task_struct": {
			"real_parent": &p.parent, "tgid": &p.tgid, "signal": &p.signal,
			"stack": &p.stack, "pid": &p.pid, "thread_node": &p.threadNode, "mm": &p.mm,
		},
		"signal_struct": {"flags": &p.flags, "thread_head": &p.threads},
		"mm_struct":     {"pgd": &p.pgd},
		"pt_regs":       {size: &p.regsSize},
	})
}

// size stands for a structure's own size among its fields.
const size = ""

// offsets finds the fields of structures, of whichever unit has them first.
func offsets(info *dwarf.Data, wanted map[string]map[string]*uint64) error {
	for r := info.Reader(); len(wanted) > 0; {
		e, err := r.Next()
		if err != nil {
			return fmt.Errorf("read the kernel's structures: %w", err)
		}
		if e == nil {
			return fmt.Errorf("the kernel's debug information lacks structures: %v", wanted)
		}
		if e.Tag == dwarf.TagCompileUnit {
			continue
		}
		r.SkipChildren()
		name, _ := e.Val(dwarf.AttrName).(string)
		fields := wanted[name]
		if e.Tag != dwarf.TagStructType || fields == nil || !e.Children {
			continue
		}
		t, err := info.Type(e.Offset)
		if err != nil {
			return fmt.Errorf("read the kernel's structures: %s: %w", name, err)
		}
		if to := fields[size]; to != nil {
			*to = uint64(t.Size())
		}
		find(t, 0, fields)
		delete(wanted, name)
	}
	return nil
}

// find notes the fields of a structure. Those of one without a name in it are
// its own.
func find(t dwarf.Type, at int64, fields map[string]*uint64) {
	s, ok := t.(*dwarf.StructType)
	if !ok {
		return
	}
	for _, f := range s.Field {
		if f.Name == "" {
			find(f.Type, at+f.ByteOffset, fields)
		} else if to := fields[f.Name]; to != nil {
			*to = uint64(at + f.ByteOffset)
		}
	}
}

// Here says whether a stopped machine stands at Addr, and whether it does
// because a program of init's is about to fail: by a signal, or with a status
// that is not 0. Its threads come here too, once it ends, and its own children.
// One that was killed is no failure: that is how init clears up.
func (p *Place) Here(ctx context.Context, c *rsp.Client) (here, failing bool, err error) {
	regs, err := c.Registers(ctx)
	if err != nil || len(regs) < 33*8 || binary.LittleEndian.Uint64(regs[32*8:]) != p.Addr {
		return false, false, err
	}
	const killed = 9
	if status := uint32(binary.LittleEndian.Uint64(regs)); status == 0 || status&0x7f == killed {
		return true, false, nil
	}
	task, err := c.Register(ctx, "SP_EL0") // the kernel's current
	if err != nil {
		return true, false, fmt.Errorf("the current task: %w", err)
	}
	current := binary.LittleEndian.Uint64(append(task, make([]byte, 8)...))
	read := func(addr uint64, size int) (n uint64) {
		b := make([]byte, 8)
		if err == nil {
			err = c.ReadMemory(ctx, addr, b[:size])
		}
		return binary.LittleEndian.Uint64(b)
	}
	const exiting = 4 // SIGNAL_GROUP_EXIT, include/linux/sched/signal.h
	ends := read(read(current+p.signal, 8)+p.flags, 4)&exiting != 0
	init := read(read(current+p.parent, 8)+p.tgid, 4) == 1
	return true, init && !ends, err
}

// Point is Addr as a breakpoint.
func (p *Place) Point() rsp.Point { return rsp.Point{Kind: rsp.Breakpoint, Addr: p.Addr, Size: 4} }

// Pass makes a machine that stands at Addr go by it, where Point is set.
func (p *Place) Pass(ctx context.Context, c *rsp.Client) error {
	err := c.Remove(ctx, p.Point())
	if err == nil {
		_, err = c.Step(ctx)
	}
	if err == nil {
		err = c.Insert(ctx, p.Point())
	}
	return err
}

// Await runs a stopped machine of one CPU to where a program of init's is about
// to fail and wanted returns true, and leaves it there. It returns false when the
// machine has stopped for another reason, such as the end of its record.
func (p *Place) Await(ctx context.Context, c *rsp.Client, wanted func() (bool, error)) (bool, error) {
	if err := c.Insert(ctx, p.Point()); err != nil {
		return false, err
	}
	for {
		if _, err := c.Continue(ctx); err != nil {
			return false, err
		}
		here, failing, err := p.Here(ctx, c)
		if err != nil || !here {
			return false, err
		}
		if failing {
			if ok, err := wanted(); ok || err != nil {
				return ok, err
			}
		}
		if err := p.Pass(ctx, c); err != nil {
			return false, err
		}
	}
}
