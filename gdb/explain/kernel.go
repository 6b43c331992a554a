package explain

import (
	"fmt"

	"ghostlab/gdb/travel"
)

// takers are system calls after which memory may be gone, or be another's: each
// takes an address and a size first.
var takers = []string{"munmap", "mprotect", "mremap", "pkey_mprotect", "mmap"}

// cutters are those that shorten a file.
var cutters = []string{"ftruncate", "truncate", "openat"}

// taken makes the culprit of who unmapped the memory that the victim accessed,
// took its permission, or cut the file that it was of. It returns false where
// nobody did.
func (q *inquiry) taken(s *signal) (bool, error) {
	q.seek("who took the memory at %#x away", s.addr)
	k, err := q.kernel()
	if err != nil {
		return false, err
	}
	calls := takers
	if s.number == sigBUS {
		calls = cutters
	}
	call, err := q.lastCall(k, k.Handlers(calls...), func(c *travel.Call) bool {
		space, err := q.m.Space()
		switch {
		case s.number == sigBUS:
			return cuts(c)
		case err != nil || space != q.space:
			return false
		}
		return s.addr >= c.Args[0] && s.addr-c.Args[0] < (c.Args[1]+pageSize-1)&^(pageSize-1)
	})
	if call == nil || err != nil {
		return false, err
	}
	did := ""
	switch call.Name {
	case "ftruncate":
		did = fmt.Sprintf("made a file %d bytes long: ftruncate(%d, %[1]d)", int64(call.Args[1]), int32(call.Args[0]))
	case "truncate":
		did = fmt.Sprintf("made a file %d bytes long: truncate", int64(call.Args[1]))
	case "openat":
		did = "emptied a file: open with O_TRUNC"
	case "munmap":
		did = fmt.Sprintf("unmapped it: munmap(%#x, %d)", call.Args[0], call.Args[1])
	case "mmap":
		if call.Args[2]&(protRead|protWrite) == protRead|protWrite {
			return false, nil // it gave it
		}
		did = fmt.Sprintf("mapped it so: mmap(%#x, %d, %s)", call.Args[0], call.Args[1], protection(call.Args[2]))
	case "mremap":
		did = fmt.Sprintf("moved it: mremap(%#x, %d, %d)", call.Args[0], call.Args[1], call.Args[2])
	default:
		if call.Args[2]&(protRead|protWrite) == protRead|protWrite {
			return false, nil
		}
		did = fmt.Sprintf("took its permission: %s(%#x, %d, %s)", call.Name, call.Args[0], call.Args[1], protection(call.Args[2]))
	}
	return true, q.called(call, did, q.out.Victim.At)
}

const (
	pageSize = 4 << 10

	// include/uapi/asm-generic/mman-common.h and fcntl.h
	protRead, protWrite, protExec = 1, 2, 4
	openTruncate                  = 0o1000
)

// cuts says whether a call shortens a file.
func cuts(c *travel.Call) bool {
	return c.Name == "ftruncate" || c.Name == "truncate" || c.Name == "openat" && c.Args[2]&openTruncate != 0
}

// protection is the third argument of mprotect, as its manual has it.
func protection(bits uint64) string {
	text := ""
	for _, p := range []struct {
		bit  uint64
		name string
	}{{protRead, "PROT_READ"}, {protWrite, "PROT_WRITE"}, {protExec, "PROT_EXEC"}} {
		if bits&p.bit != 0 {
			text += "|" + p.name
		}
	}
	if text == "" {
		return "PROT_NONE"
	}
	return text[1:]
}

// forKernel is the goroutine for which the kernel did something at the moment.
func (q *inquiry) forKernel(did string) (*Side, error) {
	k, err := q.kernel()
	if err != nil {
		return nil, err
	}
	call, ok, err := q.m.Called(k)
	switch {
	case err != nil:
		return nil, q.lost("where the kernel was called", err)
	case !ok:
		did = "was interrupted, and the kernel " + did
	case call.Name == "":
		did = "called the kernel, which " + did
	default:
		did = fmt.Sprintf("called %s, for which the kernel %s", call.Name, did)
	}
	return q.side(did)
}
