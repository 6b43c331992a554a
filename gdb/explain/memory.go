package explain

import (
	"fmt"
	"strings"

	"ghostlab/gdb/travel"
)

// Memory is the access that a program died of, and where its bad address came
// from.
type Memory struct {
	// Instruction is the one that faulted, in Arm's notation.
	Instruction string `json:"instruction"`
	// Address is what it accessed, and Value what the register held that made
	// it so: in hexadecimal with 0x.
	Address string `json:"address"`
	Value   string `json:"value"`
	// Word is the address of the memory that the value was read from, in
	// hexadecimal with 0x; Loaded is where. Empty where it came from no memory.
	Word   string        `json:"word,omitempty"`
	Loaded *travel.Frame `json:"loaded,omitempty"`
}

// access explains a SIGSEGV or a SIGBUS of the instruction that the machine
// stands at: who took the memory away, or else the last write to the word from
// which the bad address was read.
func (q *inquiry) access(s *signal) error {
	side, err := q.side("accessed memory that is not there")
	if err != nil {
		return err
	}
	q.out.Victim = side
	register, err := q.badRegister()
	if err != nil {
		return err
	}
	if s.number != sigSEGV && s.number != sigBUS {
		side.Did = "was stopped by " + signalName(s.number)
		return q.lastTurns(side.At)
	}
	q.out.Memory.Address = fmt.Sprintf("%#x", s.addr)
	q.out.Victim.Did = fmt.Sprintf("accessed %#x", s.addr)
	if s.number == sigSEGV && s.code == accessError {
		q.out.Victim.Did += ", which it may not"
	}
	at := q.out.Victim.At
	if plausible(s.addr) {
		if found, err := q.taken(s); found || err != nil {
			return err
		}
		if err := q.m.Go(at); err != nil {
			return err
		}
	}
	if register == travel.None {
		return &NotFoundError{"the bad address is the stack pointer's"}
	}
	return q.trace(register, at)
}

// mostWords is how many words a bad value is followed through, each of which
// held the address of the next. Most bad addresses are of one.
const mostWords = 3

// trace follows the value of a register, from before the instruction of the
// moment, to the word it was read from, and makes the culprit of who wrote that
// last. Where nobody did, that word is not the program's to read, and its own
// address is what went wrong.
func (q *inquiry) trace(register int, at int64) error {
	for range mostWords {
		from, err := q.origin(register)
		if err != nil {
			return err
		}
		if from.addr != 0 {
			q.out.Memory.Word, q.out.Memory.Loaded = fmt.Sprintf("%#x", from.addr), &from.frame
		}
		culprit, err := q.word(from)
		if err != nil {
			return err
		}
		if culprit != nil {
			return q.blame(culprit, at)
		}
		if from.addr == 0 || from.base == travel.None {
			return nil
		}
		register = from.base
		if err := q.m.Go(from.at); err != nil {
			return err
		}
	}
	return nil
}

// signalled are the functions between a faulting instruction and the runtime's
// end: those that handle signals, and the call that they put on the stack.
var signalled = []string{"runtime.sigpanic", "runtime.sigtramp", "runtime.sigtrampgo", "runtime.sigfwdgo", "runtime.sighandler"}

// faulting is the victim's call that faulted, nil where it did not by a signal.
func (q *inquiry) faulting() *travel.Frame {
	stack := q.out.Victim.Stack
	for i := len(stack) - 1; i > 0; i-- {
		for _, name := range signalled {
			// Assembly has a name of its own for each way to call it.
			if strings.TrimSuffix(stack[i-1].Func, ".abi0") == name {
				return &stack[i]
			}
		}
	}
	return nil
}

// badRegister says which register made the instruction of the moment fault, and
// notes the access. Where a program jumped to a bad address it goes back to the
// jump.
func (q *inquiry) badRegister() (int, error) {
	r, err := q.m.Registers()
	if err != nil {
		return 0, err
	}
	q.out.Memory = &Memory{Address: fmt.Sprintf("%#x", r.Pc)}
	if _, _, ok := q.m.In(r.Pc); !ok {
		if err := q.m.StepBack(); err != nil {
			return 0, err
		}
		if q.out.Victim, err = q.side(""); err != nil {
			return 0, err
		}
		if r, err = q.m.Registers(); err != nil {
			return 0, err
		}
	}
	insn, err := q.m.Insn(r.Pc)
	if err != nil {
		return 0, err
	}
	q.out.Memory.Instruction = insn.String()
	register := insn.Jump()
	if a, ok := insn.Access(r); ok {
		q.out.Memory.Address = fmt.Sprintf("%#x", a.Addr)
		register = a.Base
		if a.Index != travel.None && plausible(r.Regs[a.Base]) {
			register = a.Index
		}
	}
	if register == travel.None {
		return register, nil
	}
	q.out.Memory.Value = fmt.Sprintf("%#x", r.Regs[register])
	return register, nil
}

// plausible says whether an address could be a Go program's: not in the first
// page, and in the lower half of what 48 bits reach.
func plausible(addr uint64) bool { return addr >= 4096 && addr < 1<<48 }
