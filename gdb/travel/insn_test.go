package travel

import (
	"encoding/binary"
	"slices"
	"testing"

	"github.com/go-delve/delve/pkg/proc/linutil"
)

func decoded(enc uint32) Insn {
	return decode(0x1000, [4]byte(binary.LittleEndian.AppendUint32(nil, enc)))
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
		{0xf2a5cea6, "movk x6, #0x2e75, lsl #16", []int{6}, []int{6}, 0, 0, 0, 0},
		{0x9b092ceb, "madd x11, x7, x9, x11", []int{11}, []int{7, 9, 11}, 0, 0, 0, 0},
		{0x69400b61, "ldpsw x1, x2, [x27]", []int{1, 2}, nil, 0x1b00, 4, 27, None},
		{0xf9800000, "prfm pldl1keep, [x0]", nil, nil, 0, 0, 0, 0},
		// Of floating point and of vectors: d0 is the lower half of v0.
		{0xfd400420, "ldr d0, [x1,#8]", []int{32, 33}, nil, 0x108, 8, 1, None},
		{0xbd400420, "ldr s0, [x1,#4]", []int{32, 33}, nil, 0x104, 4, 1, None},
		{0xad400440, "ldp q0, q1, [x2]", []int{32, 33, 34, 35}, nil, 0x200, 8, 2, None},
		{0x1e612800, "fadd d0, d0, d1", []int{32, 33}, []int{32, 34}, 0, 0, 0, 0},
		{0x1e26000c, "fmov w12, s0", []int{12}, []int{32}, 0, 0, 0, 0},
		{0x1e202008, "fcmp s0, #0", nil, nil, 0, 0, 0, 0},
		{0x4cdfa001, "ld1 {v1.16b, v2.16b}, [x0],#32", []int{0, 34, 35, 36, 37}, nil, 0, 8, 0, None},
		// Exclusive and atomic ones.
		{0x885ffd09, "ldaxr w9, [x8]", []int{9}, nil, 0x800, 4, 8, None},
		{0x8809fd07, "stlxr w9, w7, [x8]", []int{9}, nil, 0x800, 4, 8, None},
		{0x88fbfc41, "casal w27, w1, [x2]", []int{27}, nil, 0x200, 4, 2, None},
		{0x38e28003, "swpalb w2, w3, [x0]", []int{3}, nil, 0, 1, 0, None},
		{0x4862fc44, "caspal x2, x3, x4, x5, [x2]", []int{2, 3}, nil, 0x200, 8, 2, None},
		{0xf8e00041, "ldaddal x0, x1, [x2]", []int{1}, nil, 0x200, 8, 2, None},
	} {
		i := decoded(c.enc)
		if i.String() != c.text {
			t.Errorf("%08x is %q, want %q", c.enc, i, c.text)
		}
		var sets []int
		for r := range vector + 64 {
			if i.Sets(r) {
				sets = append(sets, r)
			}
		}
		a, ok := i.Access(regs)
		if !slices.Equal(sets, c.sets) || !slices.Equal(copies(i), c.from) || ok != (c.size != 0) {
			t.Errorf("%s sets %v from %v, access %+v", i, sets, copies(i), a)
		}
		if ok && (a.Addr != c.addr || a.Size != c.size || a.Base != c.base || a.Index != c.index) {
			t.Errorf("%s: %+v", i, a)
		}
	}
	for enc, want := range map[uint32][2]bool{
		0xf8e00041: {true, true}, 0x88fbfc41: {true, true}, 0x38bfc041: {true, false}, // ldaprb
		0xd50b7420: {false, true}, 0xf9800000: {false, false}, // dc zva, prfm
	} {
		if i := decoded(enc); i.Load() != want[0] || i.Store() != want[1] {
			t.Errorf("%s loads %v, stores %v", i, i.Load(), i.Store())
		}
	}
	for enc, want := range map[uint32]bool{
		0xb27c03e1: true, 0xd2800000: true, 0x1e6e1000: true, 0xaa0103e0: false, // orr, mov, fmov of constants; mov of a register
		0x910043e0: false, 0x9a9f17e0: false, 0xd53bd040: false, // add x0, sp, #16; cset; mrs
	} {
		if i := decoded(enc); i.Constant() != want {
			t.Errorf("%s is a constant: %v", i, i.Constant())
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
		for _, r := range append(copies(i), i.Jump()) {
			if r < None || r >= vector+64 {
				t.Errorf("%s: register %d", i, r)
			}
		}
		i.Sets(0)
		_ = i.String()
	})
}

// copies are the registers that the first register which an instruction sets comes from.
func copies(i Insn) []int {
	for r := range vector + 64 {
		if i.Sets(r) {
			return i.Copies(r)
		}
	}
	return i.Copies(None)
}
