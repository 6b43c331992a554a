package ends

import (
	"testing"

	"ghostlab/lab/labtest"
)

func TestFind(t *testing.T) {
	p, err := Find(labtest.Kernel(t).Vmlinux())
	if err != nil {
		t.Fatal(err)
	}
	for name, offset := range map[string]uint64{"real_parent": p.parent, "tgid": p.tgid, "signal": p.signal, "flags": p.flags, "pgd": p.pgd, "mm": p.mm, "stack": p.stack, "pt_regs": p.regsSize} {
		if offset == 0 || offset > 16<<10 {
			t.Errorf("%s is at %d", name, offset)
		}
	}
	if p.stackSize != 16<<10 {
		t.Errorf("a stack of %d bytes", p.stackSize)
	}
	if p.Addr>>48 != 0xffff {
		t.Errorf("%s is at %#x", function, p.Addr)
	}
	if _, err := Find("/dev/null"); err == nil {
		t.Error("a kernel of no bytes has the place")
	}
}
