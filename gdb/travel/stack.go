package travel

import (
	"errors"

	"github.com/go-delve/delve/pkg/proc"
)

// Frame is a call on a stack, as the source has it: an inlined call is one too.
type Frame struct {
	// Func is the function's whole name, "?" where it is not known.
	Func string `json:"func"`
	// File is as the compiler knows it: with -trimpath, the module's path and
	// the file's in it. Line is that of the call, or of the moment for the
	// innermost frame.
	File string `json:"file"`
	Line int    `json:"line"`
	// Inlined is set for a call that has no frame of its own in memory.
	Inlined bool `json:"inlined,omitempty"`
	// System is set for calls on a thread's own stack, on which the runtime
	// works for a goroutine, or for itself.
	System bool `json:"system,omitempty"`

	// PC is the moment's, or where a call returns to. Entry is the address of
	// the function that has the frame in memory. CFA is the stack pointer at
	// that function's first instruction, Depth the same relative to the
	// goroutine's stack, which the runtime may move.
	PC, Entry, CFA uint64 `json:"-"`
	Depth          int64  `json:"-"`

	at []proc.Stackframe // from this one on
}

// Goroutine is one at a moment.
type Goroutine struct {
	// ID is the runtime's number, 0 on a thread that runs none.
	ID int64 `json:"goroutine"`
	// Stack has the innermost call first. Where the runtime works for the
	// goroutine on a thread's stack, the goroutine's own frames follow.
	Stack []Frame `json:"stack"`
	// Created is the go statement that began it; its Func is where that
	// stands. Its Line is 0 where it is not known.
	Created Frame `json:"created"`
	// Cut says why the stack ends before its outermost call, if it does.
	Cut string `json:"stack_ends,omitempty"`
}

// threadStart is a thread's first function. Delve finds it again in the place of
// its caller.
const threadStart = "runtime.mstart"

// deepest is the number of frames that are read of a stack.
const deepest = 100

// Goroutine returns the one that the vCPU executes. The machine executes the
// program, not the kernel.
func (m *Machine) Goroutine() (*Goroutine, error) {
	g, err := proc.GetG(m.cpu)
	if err != nil {
		if m.ctx.Err() != nil {
			return nil, m.ctx.Err()
		}
		g = nil // a thread without one
	}
	frames, err := proc.ThreadStacktrace(m.target, m.cpu, deepest)
	if err != nil && len(frames) == 0 {
		return nil, err
	}
	out := stack(g, frames)
	return &out, nil
}

// stack is a goroutine's, nil for none, with its calls.
func stack(g *proc.G, frames []proc.Stackframe) Goroutine {
	out := Goroutine{}
	if g != nil {
		out.ID = g.ID
		out.Created = location(g.Go())
	}
	for i, f := range frames {
		if i > 0 && !f.Inlined && f.Regs.CFA == frames[i-1].Regs.CFA && f.Current.PC == frames[i-1].Current.PC && !frames[i-1].Inlined {
			break // Delve goes round on the stack that morestack came from
		}
		if f.Err != nil {
			out.Cut = f.Err.Error()
			break
		}
		out.Stack = append(out.Stack, frame(frames[i:]))
		if f.Call.Fn != nil && f.Call.Fn.Name == threadStart {
			break
		}
	}
	return out
}

// Top returns the innermost call of the moment.
func (m *Machine) Top() (Frame, error) {
	frames, err := proc.ThreadStacktrace(m.target, m.cpu, 0)
	if len(frames) == 0 {
		return Frame{}, errors.Join(err, errors.New("no stack"))
	}
	return frame(frames), nil
}

func location(l proc.Location) Frame {
	f := Frame{Func: "?", File: l.File, Line: l.Line, PC: l.PC}
	if l.Fn != nil {
		f.Func, f.Entry = l.Fn.Name, l.Fn.Entry
	}
	return f
}

func frame(at []proc.Stackframe) Frame {
	f := location(at[0].Call)
	f.Inlined, f.System, f.at = at[0].Inlined, at[0].SystemStack, at
	f.CFA, f.Depth = uint64(at[0].Regs.CFA), at[0].FrameOffset()
	if fn := at[0].Current.Fn; fn != nil {
		f.Entry = fn.Entry
	}
	return f
}

// ID returns the number of the goroutine that the vCPU executes, 0 on a thread
// that runs none. Where the thread works on its own stack, it is the one that it
// works for.
func (m *Machine) ID() (int64, error) {
	g, err := proc.GetG(m.cpu)
	if err == nil {
		return g.ID, nil
	}
	return 0, m.ctx.Err()
}

// Entry is the program's first instruction.
func (m *Machine) Entry() uint64 { return m.entry }

// Function returns the first instruction of a function. One in assembly may have
// another name for each way to call it.
func (m *Machine) Function(name string) (entry uint64, ok bool) {
	functions := m.bi.LookupFunc()
	for _, name := range []string{name, name + ".abi0"} {
		for _, f := range functions[name] {
			if f.Name == name && f.Entry != 0 {
				return f.Entry, true
			}
		}
	}
	return 0, false
}
