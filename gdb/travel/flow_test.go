package travel

import (
	"slices"
	"testing"
)

// bodyOf is a function of these instructions, from 0x1000.
func bodyOf(encodings ...uint32) (body []Insn) {
	for n, enc := range encodings {
		i := decoded(enc)
		i.Addr = 0x1000 + uint64(n)*4
		body = append(body, i)
	}
	return body
}

func TestWhichBranchDecides(t *testing.T) {
	const (
		call = 0x94000000 // bl to itself
		ret  = 0xd65f03c0
		nop  = 0xd503201f
		jump = 0x14000000 // b to itself
		beq  = 0x54000000
		cbz  = 0xb4000000
	)
	never := func(Insn) bool { return false }
	for name, c := range map[string]struct {
		body    []Insn
		branch  int
		decides bool
		final   func(Insn) bool
	}{
		"one way returns":                {bodyOf(cbz|2<<5, ret, call), 0, true, never},
		"both ways come there":           {bodyOf(cbz|2<<5, nop, call), 0, false, never},
		"one way goes round":             {bodyOf(beq|2<<5, jump|0x3ffffff, call), 0, true, never}, // b back to the branch
		"one way leaves the function":    {bodyOf(beq|2<<5, jump|0x100, call), 0, true, never},
		"one way ends in another's call": {bodyOf(cbz|3<<5, call, nop, call), 0, false, func(i Insn) bool { return i.Addr == 0x1004 }},
		"past the end is no way":         {bodyOf(cbz|2<<5, nop, call, nop), 0, false, never},
	} {
		addr := c.body[len(c.body)-1].Addr
		if name == "past the end is no way" {
			addr -= 4
		}
		if got := Decides(c.body, c.body[c.branch], addr, c.final); got != c.decides || !c.body[c.branch].Branch() {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestWhatIsCompared(t *testing.T) {
	const (
		cmp  = 0xeb02003f // cmp x1, x2
		ccmp = 0xfa441060 // ccmp x3, x4, #0, ne
		add  = 0x91000400 // add x0, x0, #1
		bls  = 0x54000009
		cset = 0x9a9f17e0 // cset x0, eq
		tbnz = 0xb7f80003 // tbnz x3, #63
	)
	body := bodyOf(cmp, ccmp, add, bls)
	var regs [][]int
	for _, c := range Flags(body, body[3].Addr) {
		regs = append(regs, c.Compared())
	}
	if len(regs) != 2 || !slices.Equal(regs[0], []int{3, 4}) || !slices.Equal(regs[1], []int{1, 2}) {
		t.Errorf("the branch goes by %v", regs)
	}
	if i := decoded(cset); !i.Flagged() || i.Branch() || i.Copies(0) != nil {
		t.Errorf("%s: %v %v", i, i.Flagged(), i.Copies(0))
	}
	if i := decoded(tbnz); !i.Branch() || i.Flagged() || !slices.Equal(i.Compared(), []int{3}) {
		t.Errorf("%s: %v %v", i, i.Flagged(), i.Compared())
	}
}
