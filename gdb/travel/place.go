package travel

import (
	"debug/elf"
	"fmt"
	"path"
	"slices"
	"sort"
	"strconv"
	"strings"

	"github.com/go-delve/delve/pkg/dwarf/godwarf"
	"github.com/go-delve/delve/pkg/proc"
)

// Place is what a program calls an address in memory.
type Place struct {
	// Name is that of a variable, or of a part of what one points to: "" where
	// none is known.
	Name string
	// Header is the address of the slice, string or interface that the address
	// is one of the words of, 0 for others. They are written in several steps.
	Header uint64

	start uint64 // the variable's
}

// Place finds out what an address is, by the variables of the innermost call of
// the moment and of the program: of several that lead there, by the one that
// begins next to it.
func (m *Machine) Place(addr uint64) Place {
	scope, err := proc.ThreadScope(m.target, m.cpu)
	if err != nil {
		return Place{}
	}
	locals, _ := scope.Locals(0, "")
	var best Place
	for _, v := range locals {
		if p := m.within(scope, v.Name, v.Name, addr); p.Name != "" && p.start >= best.start {
			best = p
		}
	}
	if best.Name != "" {
		return best
	}
	if symbol := m.global(addr); symbol != "" {
		dir, base := path.Split(symbol)
		pkg, name, _ := strings.Cut(base, ".")
		return m.within(scope, strconv.Quote(dir+pkg)+"."+name, symbol, addr)
	}
	return Place{}
}

// within is the place of an address in a variable, or in what it points to.
func (m *Machine) within(scope *proc.EvalScope, expression, name string, addr uint64) Place {
	v, err := scope.EvalExpression(expression, proc.LoadConfig{})
	if err != nil || v.Unreadable != nil {
		return Place{}
	}
	start := v.Addr
	p, ok := part(v.RealType, name, start, addr)
	switch t := v.RealType.(type) {
	case *godwarf.PtrType:
		if !ok && len(v.Children) == 1 {
			start = v.Children[0].Addr
			p, _ = part(t.Type, name, start, addr)
		}
	case *godwarf.SliceType:
		size := uint64(t.ElemType.Size())
		if n := addr - v.Base; !ok && addr >= v.Base && size > 0 && n/size < uint64(v.Len) {
			start = v.Base + n/size*size
			p, _ = part(t.ElemType, fmt.Sprintf("%s[%d]", name, n/size), start, addr)
		}
	}
	p.start = start
	return p
}

// part names the part that addr is of a value of type t at start.
func part(t godwarf.Type, name string, start, addr uint64) (Place, bool) {
	if start == 0 || addr < start || addr-start >= uint64(t.Size()) {
		return Place{}, false
	}
	header := uint64(0)
	var fields []*godwarf.StructField
	switch t := t.(type) {
	case *godwarf.TypedefType:
		return part(t.Type, name, start, addr)
	case *godwarf.InterfaceType:
		p, ok := part(t.Type, name, start, addr)
		p.Header = start
		return p, ok
	case *godwarf.SliceType:
		fields, header = t.Field, start
	case *godwarf.StringType:
		fields, header = t.Field, start
	case *godwarf.StructType:
		fields = t.Field
	case *godwarf.ArrayType:
		if size := uint64(t.Type.Size()); size > 0 {
			n := (addr - start) / size
			return part(t.Type, fmt.Sprintf("%s[%d]", name, n), start+n*size, addr)
		}
	}
	for _, f := range fields {
		p, ok := part(f.Type, name+"."+f.Name, start+uint64(f.ByteOffset), addr)
		if header != 0 {
			p.Header = header
		}
		if ok {
			return p, true
		}
	}
	return Place{Name: name}, true
}

// global is the name of the package's variable that has an address, "" for none.
func (m *Machine) global(addr uint64) string {
	n := sort.Search(len(m.globals), func(i int) bool { return m.globals[i].Value > addr }) - 1
	if n < 0 || addr-m.globals[n].Value >= m.globals[n].Size {
		return ""
	}
	return m.globals[n].Name
}

// Constant says whether an address is of the program's read-only data.
func (m *Machine) Constant(addr uint64) bool {
	return slices.ContainsFunc(m.fixed, func(p elf.ProgHeader) bool { return addr >= p.Vaddr && addr-p.Vaddr < p.Memsz })
}

// fixed are the segments of an ELF file that are never written to.
func fixed(f *elf.File) (segments []elf.ProgHeader) {
	for _, p := range f.Progs {
		if p.Type == elf.PT_LOAD && p.Flags&elf.PF_W == 0 {
			segments = append(segments, p.ProgHeader)
		}
	}
	return segments
}

// globals are the variables of an ELF file by their addresses.
func globals(f *elf.File) ([]elf.Symbol, error) {
	all, err := f.Symbols()
	if err != nil {
		return nil, err
	}
	var data []elf.Symbol
	for _, s := range all {
		if elf.ST_TYPE(s.Info) == elf.STT_OBJECT && s.Size > 0 {
			data = append(data, s)
		}
	}
	sort.Slice(data, func(i, j int) bool { return data[i].Value < data[j].Value })
	return data, nil
}
