package travel

import (
	"slices"
	"testing"
)

func TestWhichBranchesLeaveLoops(t *testing.T) {
	const (
		call = 0x94000000 // bl to itself
		ret  = 0xd65f03c0
		nop  = 0xd503201f
		jump = 0x14000000 // b to itself
		cbz  = 0xb4000000
	)
	back := func(n uint32) uint32 { return 0x3ffffff&(0-n) | jump }
	again := func(n uint32) uint32 { return 0x7ffff&(0-n)<<5 | cbz }
	for name, c := range map[string]struct {
		body  []Insn
		addr  int
		loops [][]int
	}{
		"while":                    {bodyOf(nop, cbz|3<<5, nop, back(3), ret), 2, [][]int{{1}}},
		"do while":                 {bodyOf(nop, again(1), ret), 0, [][]int{{1}}},
		"none":                     {bodyOf(nop, cbz|2<<5, nop, ret), 2, nil},
		"a choice within the loop": {bodyOf(nop, cbz|2<<5, nop, back(3), ret), 2, nil},
		"one in another":           {bodyOf(nop, nop, again(1), again(3), ret), 1, [][]int{{3}, {2}}},
		"after the inner one":      {bodyOf(nop, again(1), nop, again(3), ret), 2, [][]int{{3}}},
		"one in one for ever":      {bodyOf(nop, again(1), back(2), ret), 0, [][]int{{1}}},
		"a bounds check":           {bodyOf(nop, cbz|3<<5, again(2), ret, call), 0, [][]int{{2}}},
		"after the loop":           {bodyOf(nop, again(1), nop, ret), 2, nil},
		"a way out and its end":    {bodyOf(nop, cbz|3<<5, again(2), ret, ret), 0, [][]int{{1, 2}}},
	} {
		final := func(i Insn) bool { return i.op() == "BL" }
		var got [][]int
		for _, exits := range Loops(c.body, c.body[c.addr].Addr, final) {
			var at []int
			for _, i := range exits {
				at = append(at, int(i.Addr-0x1000)/4)
			}
			got = append(got, at)
		}
		if !slices.EqualFunc(got, c.loops, slices.Equal) {
			t.Errorf("%s: %v, want %v", name, got, c.loops)
		}
	}
}
