package travel

import (
	"encoding/binary"
	"slices"
	"testing"

	"github.com/go-delve/delve/pkg/proc/linutil"
	"golang.org/x/arch/arm64/arm64asm"
)

func decoded(enc uint32) Insn {
	b := binary.LittleEndian.AppendUint32(nil, enc)
	inst, err := arm64asm.Decode(b)
	return Insn{Addr: 0x1000, enc: enc, inst: inst, known: err == nil}
}

func TestInstructions(t *testing.T) {
	regs := &linutil.ARM64PtraceRegs{Sp: 0x8000}
	for i := range regs.Regs {
		regs.Regs[i] = uint64(i) << 8
	}
	for _, c := range []struct {
		enc   uint32
		text  string
		sets  []int
		from  []int
		addr  uint64
		size  int
		base  int
		index int
	}{
		{0xf9400420, "ldr x0, [x1,#8]", []int{0}, nil, 0x108, 8, 1, None},
		{0x39402022, "ldrb w2, [x1,#8]", []int{2}, nil, 0x108, 1, 1, None},
		{0xb9400420, "ldr w0, [x1,#4]", []int{0}, nil, 0x104, 4, 1, None},
		{0xf8627820, "ldr x0, [x1,x2,lsl #3]", []int{0}, nil, 0x100 + 0x200<<3, 8, 1, 2},
		{0xa9400c22, "ldp x2, x3, [x1]", []int{2, 3}, nil, 0x100, 8, 1, None},
		{0xf90017e1, "str x1, [sp,#40]", nil, nil, 0x8028, 8, None, None},
		{0xf81f0ffe, "str x30, [sp,#-16]!", nil, nil, 0x7ff0, 8, None, None},
		{0xaa0103e0, "mov x0, x1", []int{0}, []int{1}, 0, 0, 0, 0},
		{0x91002020, "add x0, x1, #0x8", []int{0}, []int{1}, 0, 0, 0, 0},
		{0x8b020c20, "add x0, x1, x2, lsl #3", []int{0}, []int{1, 2}, 0, 0, 0, 0},
		{0xd2800000, "mov x0, #0x0", []int{0}, nil, 0, 0, 0, 0},
		{0xeb02003f, "cmp x1, x2", nil, []int{2}, 0, 0, 0, 0},
		{0xf8e00041, "an instruction f8e00041", []int{0, 1}, nil, 0, 0, 0, 0}, // ldaddal x0, x1, [x2]
	} {
		i := decoded(c.enc)
		if i.String() != c.text {
			t.Errorf("%08x is %q, want %q", c.enc, i, c.text)
		}
		var sets []int
		for r := range 31 {
			if i.Sets(r) {
				sets = append(sets, r)
			}
		}
		a, ok := i.Access(regs)
		if !slices.Equal(sets, c.sets) || !slices.Equal(i.Copies(), c.from) || ok != (c.size != 0) {
			t.Errorf("%s sets %v from %v, access %+v", i, sets, i.Copies(), a)
		}
		if ok && (a.Addr != c.addr || a.Size != c.size || a.Base != c.base || a.Index != c.index) {
			t.Errorf("%s: %+v", i, a)
		}
	}
	if call := decoded(0x94000002); !call.Call() || call.Target() != 0x1008 || call.Sets(0) {
		t.Errorf("%s: %#x", call, call.Target())
	}
	if r := decoded(0xd65f03c0); r.Jump() != 30 {
		t.Errorf("%s goes to x%d", r, r.Jump())
	}
}

func FuzzInstructions(f *testing.F) {
	f.Add(uint32(0xf9400420))
	f.Fuzz(func(t *testing.T, enc uint32) {
		i := decoded(enc)
		i.Access(&linutil.ARM64PtraceRegs{})
		for _, r := range append(i.Copies(), i.Jump()) {
			if r < None || r > 31 {
				t.Errorf("%s: register %d", i, r)
			}
		}
		i.Sets(0)
		_ = i.String()
	})
}
