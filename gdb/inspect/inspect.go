// Package inspect shows the Go program in a core: its goroutines, their calls
// and the arguments of these, by Delve's packages.
package inspect

import (
	"fmt"
	"io"
	"strings"

	"github.com/go-delve/delve/pkg/proc"
	"github.com/go-delve/delve/pkg/proc/core"
	"github.com/go-delve/delve/service/api"
)

// Report is what a core shows.
type Report struct {
	Goroutines []Goroutine `json:"goroutines"`
}

// Goroutine is one of the program's.
type Goroutine struct {
	ID     int64  `json:"id"`
	Status string `json:"status"`
	// Current is set for the one that ended the program.
	Current bool `json:"current,omitempty"`
	// Thread is the kernel's, 0 for one that did not run.
	Thread int `json:"thread,omitempty"`
	// System is set for the runtime's own.
	System bool    `json:"system,omitempty"`
	Stack  []Frame `json:"stack"`
	// Unreadable says why there is no whole stack.
	Unreadable string `json:"unreadable,omitempty"`
}

// Frame is a call.
type Frame struct {
	Func string `json:"func"`
	File string `json:"file"`
	Line int    `json:"line"`
	Args []Arg  `json:"args,omitempty"`
}

// Arg is an argument as Delve shows it: a pointer with what it points to.
type Arg struct {
	Name  string `json:"name"`
	Type  string `json:"type"`
	Value string `json:"value"`
}

// deepest is the number of calls that are looked at.
const deepest = 64

var load = proc.LoadConfig{FollowPointers: true, MaxVariableRecurse: 1, MaxStringLen: 64, MaxArrayValues: 8, MaxStructFields: -1}

// Open reads a core of a program, whose file has its debug information.
func Open(file, program string) (*Report, error) {
	group, err := core.OpenCore(file, program, nil)
	if err != nil {
		return nil, fmt.Errorf("open core %s: %w", file, err)
	}
	defer group.Detach(true)
	target := group.Selected
	all, _, err := proc.GoroutinesInfo(target, 0, 0)
	if err != nil {
		return nil, fmt.Errorf("read the goroutines: %w", err)
	}
	current := target.SelectedGoroutine()
	r := &Report{}
	for _, g := range all {
		out := goroutine(target, g)
		out.Current = current != nil && current.ID == g.ID
		r.Goroutines = append(r.Goroutines, out)
	}
	return r, nil
}

func goroutine(target *proc.Target, g *proc.G) Goroutine {
	out := Goroutine{ID: g.ID, Status: status(g), System: g.System(target)}
	if g.Thread != nil {
		out.Thread = g.Thread.ThreadID()
	}
	frames, err := proc.GoroutineStacktrace(target, g, deepest, 0)
	if err != nil {
		out.Unreadable = err.Error()
	}
	for i, f := range frames {
		if i > 0 && f.Call.PC == frames[i-1].Call.PC && f.Call.Fn == frames[i-1].Call.Fn && f.Regs.CFA == frames[i-1].Regs.CFA && !f.Inlined {
			out.Unreadable = "Delve does not find the caller of a function without a frame that was preempted"
			break
		}
		fn := f.Call.Fn
		if fn == nil {
			continue
		}
		frame := Frame{Func: fn.Name, File: f.Call.File, Line: f.Call.Line}
		scope := proc.FrameToScope(target, target.Memory(), g, out.Thread, frames[i:]...)
		args, err := scope.FunctionArguments(load)
		for _, v := range args {
			if err == nil && v.Flags&proc.VariableReturnArgument == 0 {
				frame.Args = append(frame.Args, argument(v))
			}
		}
		out.Stack = append(out.Stack, frame)
	}
	return out
}

func argument(v *proc.Variable) Arg {
	shown := api.ConvertVar(v)
	a := Arg{Name: v.Name, Type: shown.Type}
	switch {
	case v.Unreadable != nil && strings.Contains(v.Unreadable.Error(), "loclist"):
		a.Value = "(optimized out)"
	case v.Unreadable != nil:
		a.Value = "(" + v.Unreadable.Error() + ")"
	default:
		a.Value = shown.SinglelineString()
	}
	return a
}

func status(g *proc.G) string {
	switch g.Status {
	case proc.Gidle:
		return "idle"
	case proc.Grunnable:
		return "runnable"
	case proc.Grunning:
		return "running"
	case proc.Gsyscall:
		return "in a system call"
	case proc.Gwaiting:
		return "waiting"
	case proc.Gdead:
		return "dead"
	case proc.Gcopystack:
		return "copying its stack"
	}
	return fmt.Sprintf("status %d", g.Status)
}

// Text writes the report for people: the goroutine that ended the program first,
// the runtime's own left out.
func (r *Report) Text(w io.Writer) error {
	var b strings.Builder
	for _, current := range []bool{true, false} {
		for _, g := range r.Goroutines {
			if g.Current == current && (current || !g.System) {
				g.text(&b)
			}
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (g Goroutine) text(b *strings.Builder) {
	mark := ""
	if g.Current {
		mark = ", ended the program"
	}
	fmt.Fprintf(b, "goroutine %d, %s%s\n", g.ID, g.Status, mark)
	for _, f := range g.Stack {
		fmt.Fprintf(b, "  %s\n      %s:%d\n", f.Func, f.File, f.Line)
		for _, a := range f.Args {
			fmt.Fprintf(b, "      %s = %s\n", a.Name, shorten(a.Value))
		}
	}
	if g.Unreadable != "" {
		fmt.Fprintf(b, "  the rest cannot be read: %s\n", g.Unreadable)
	}
	b.WriteByte('\n')
}

// shorten keeps a value to a few lines: the JSON has all of it.
func shorten(s string) string {
	const most = 360
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}
