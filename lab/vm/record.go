package vm

import (
	"encoding/binary"
	"fmt"
	"io"
	"os"

	"ghostlab/lab/qemu"
)

// recording is QEMU's part of a guest that is recorded or replayed.
func (g *Guest) recording() []qemu.Device {
	switch {
	case g.cfg.Record != "":
		return []qemu.Device{qemu.Record{Log: g.cfg.Record}}
	case g.cfg.replay != "":
		return []qemu.Device{
			qemu.Record{Log: g.cfg.replay, Replay: true},
			qemu.Snapshots{File: g.snapshots},
			qemu.Stay{},
		}
	}
	return nil
}

// onPanic is what init's own way to end the machine does. A recorded guest goes
// on and powers off by its kernel: a log in which the machine ends in the
// middle of an instruction cannot be followed up to there every time. In its
// replay the machine stops at that instruction, which is the trial's end.
func (g *Guest) onPanic() qemu.PanicAction {
	switch {
	case g.cfg.Record != "":
		return qemu.PanicIgnored
	case g.cfg.replay != "", g.snapshot != "", g.holds(), g.cfg.Stay:
		return qemu.PanicPauses
	}
	return qemu.PanicEnds
}

// recorded says whether the guest's end completed its log.
func (g *Guest) recorded(end *End) error {
	if end.Reason == Hung || end.Reason == Flooded {
		return &UnfinishedError{Reason: end.Reason}
	}
	f, err := os.Open(g.cfg.Record)
	if err != nil {
		return &InfraError{What: "record", Err: err}
	}
	defer f.Close()
	var version uint32 // of the format; 0 until QEMU ends
	err = binary.Read(f, binary.BigEndian, &version)
	if err == nil || err == io.EOF {
		if version != 0 {
			return nil
		}
		err = fmt.Errorf("qemu ended without completing the log")
	}
	return &InfraError{What: "record", Err: err}
}

// UnfinishedError says that a guest that was recorded had to be ended: QEMU
// completes a log only for one that ends by itself.
type UnfinishedError struct{ Reason Reason }

func (e *UnfinishedError) Error() string {
	return fmt.Sprintf("the recorded guest did not end by itself (%s), so its log is not complete", e.Reason)
}

// Hint says what to do about it.
func (e *UnfinishedError) Hint() string {
	return "without --record the trial can be replayed, and a guest that hangs leaves its stacks"
}
