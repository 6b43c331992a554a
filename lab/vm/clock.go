package vm

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"time"
)

// clockSection is the part of a migration stream that holds an instruction
// counting machine's clock: its version (4 bytes), a bias in ns and the
// instructions counted (8 each, big endian; QEMU 7.2, softmmu/cpu-timers.c, which is in
// system since 8.2).
const clockSection = "timer/icount"

const clockSize = 4 + 8 + 8

// clockStep is what a template's bias is rounded up to: many times a tick of the
// kernel (4 ms), so that hardly any guest stops within a tick of a multiple, and
// little enough that no clone takes the leap for a stall.
const clockStep = time.Second

// settleClock sets the clock of a snapshot to what does not depend on the host,
// and returns it. It is empty for a machine that counts no instructions.
//
// A vCPU that stops the machine counts as idle before the machine has stopped.
// When QEMU's main loop comes by in between and finds all others idle too, it
// moves the clock on to the next timer, as for any idle machine (QEMU
// 7.2, softmmu/icount.c, icount_start_warp_timer); when it comes a moment earlier it
// does not. The bias holds this last leap with all earlier ones, and nothing
// else differs: the timer does not go off any more.
func settleClock(state string) ([]byte, error) {
	b, err := os.ReadFile(state)
	if err != nil {
		return nil, err
	}
	i := bytes.Index(b, []byte(clockSection))
	if i < 0 {
		return nil, nil
	}
	clock := b[i+len(clockSection):]
	if len(clock) < clockSize {
		return nil, fmt.Errorf("%s: the clock's section is cut short", state)
	}
	clock = clock[:clockSize]
	bias := clock[4:12]
	steps := binary.BigEndian.Uint64(bias)/uint64(clockStep) + 1
	binary.BigEndian.PutUint64(bias, steps*uint64(clockStep))
	return clock, os.WriteFile(state, b, 0o644)
}
