package travel

import (
	"github.com/go-delve/delve/pkg/dwarf/godwarf"
	"github.com/go-delve/delve/pkg/proc"
)

// Var is a variable of a frame.
type Var struct {
	Name string
	// Type is the Go type, such as *runtime.hmap.
	Type string
	// Pointer is the value of a pointer, 0 for other types.
	Pointer uint64
	// Readable is set where the value is to be had at this moment.
	Readable bool
}

// Vars returns the parameters and local variables of a frame of this moment.
func (m *Machine) Vars(f Frame) ([]Var, error) {
	scope := proc.FrameToScope(m.target, memory{m}, nil, cpuID, f.at...)
	locals, err := scope.Locals(0, "")
	if err != nil {
		return nil, err
	}
	var vars []Var
	for _, v := range locals {
		out := Var{Name: v.Name, Type: v.TypeString()}
		if _, ok := v.RealType.(*godwarf.PtrType); ok {
			value, err := scope.EvalExpression(v.Name, proc.LoadConfig{})
			if err == nil && value.Unreadable == nil && len(value.Children) == 1 {
				out.Pointer, out.Readable = value.Children[0].Addr, true
			}
		}
		vars = append(vars, out)
	}
	return vars, nil
}

// Field returns the offset and the size of a field in a struct type, such as
// runtime.hmap. It is false where the program has no such type or field.
func (m *Machine) Field(typ, field string) (offset uint64, size int, ok bool) {
	t, err := m.bi.FindType(typ)
	if err != nil {
		return 0, 0, false
	}
	for {
		def, ok := t.(*godwarf.TypedefType)
		if !ok {
			break
		}
		t = def.Type
	}
	s, isStruct := t.(*godwarf.StructType)
	if !isStruct {
		return 0, 0, false
	}
	for _, f := range s.Field {
		if f.Name == field {
			return uint64(f.ByteOffset), int(f.Type.Size()), true
		}
	}
	return 0, 0, false
}

// FieldValue reads a field of a struct in memory, at most 8 bytes of it.
func (m *Machine) FieldValue(typ, field string, addr uint64) (value uint64, ok bool) {
	offset, size, ok := m.Field(typ, field)
	if !ok {
		return 0, false
	}
	value, err := m.Uint(addr+offset, min(size, 8))
	return value, err == nil
}
