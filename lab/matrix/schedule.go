package matrix

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"strconv"
	"time"
)

// MaxShift is the largest shift of the deterministic engine: at 10 a guest has
// so few instructions to a tick that it never gets beyond its ticks (measured
// with HZ=250).
const MaxShift = 9

// DefaultShift makes an instruction take 8 ns, the speed of a real processor of
// some 100 MIPS.
const DefaultShift = 3

// Schedule is what decides how a trial's threads interleave. It is recorded with
// each trial; in the deterministic engine the same schedule gives the same trial.
type Schedule struct {
	// Seed decides the guest's random numbers and addresses.
	Seed  uint64 `json:"seed"`
	VCPUs int    `json:"vcpus"`
	// Shift makes an instruction take 2^Shift ns; -1 in the parallel engine.
	Shift int `json:"shift"`
	// SingleStep lets vCPUs take turns between any two instructions.
	SingleStep bool `json:"single_step,omitempty"`
	// Phase is how long the guest waits before the program starts.
	Phase time.Duration `json:"phase,omitempty"`
	// Slice is the kernel scheduler's shortest time slice; 0 is the kernel's own.
	Slice time.Duration `json:"slice,omitempty"`
}

// Deterministic says whether the schedule is one of the deterministic engine.
func (s Schedule) Deterministic() bool { return s.Shift >= 0 }

// String names the schedule in a few words.
func (s Schedule) String() string {
	if !s.Deterministic() {
		return fmt.Sprintf("seed %d, %d vCPUs, parallel", s.Seed, s.VCPUs)
	}
	text := fmt.Sprintf("seed %d, %d vCPUs, shift %d, phase %v", s.Seed, s.VCPUs, s.Shift, s.Phase)
	if s.Slice > 0 {
		text += fmt.Sprintf(", slice %v", s.Slice)
	}
	if s.SingleStep {
		text += ", single step"
	}
	return text
}

// phaseMost is two and a half ticks of the kernel, and the Go scheduler's time
// slice: a phase from below it puts the program anywhere in both.
const phaseMost = 10 * time.Millisecond

// Schedule returns the schedule of trial n of a cell. vcpus is the number of
// vCPUs of cells without that axis.
func (m *Matrix) Schedule(c Cell, n, vcpus int) Schedule {
	s := Schedule{Seed: draw(m.Seed, uint64(n), "seed"), VCPUs: c.VCPUs(vcpus), Shift: m.Shift}
	if v, ok := c.Axes[AxisShift]; ok {
		s.Shift, _ = strconv.Atoi(v) // checked when the matrix was read
	}
	if m.EngineOf(c) == Parallel {
		s.Shift = -1
		return s
	}
	s.Phase = phase(s.Seed)
	return s
}

// Hunting returns the schedule of trial n of a hunt, whose knobs are given.
func (m *Matrix) Hunting(n int, knobs Schedule) Schedule {
	knobs.Seed = draw(m.Seed, uint64(n), "seed")
	knobs.Phase = phase(knobs.Seed)
	return knobs
}

func phase(seed uint64) time.Duration {
	return time.Duration(draw(seed, 0, "phase") % uint64(phaseMost))
}

// draw derives a number from a seed: never zero, and one that JSON readers keep
// exactly.
func draw(seed, n uint64, what string) uint64 {
	b := binary.LittleEndian.AppendUint64(nil, seed)
	b = binary.LittleEndian.AppendUint64(b, n)
	sum := sha256.Sum256(append(b, what...))
	return binary.LittleEndian.Uint64(sum[:])>>11 | 1
}

// Chosen says whether a trial, by its seed, is one of a random share of all.
func Chosen(seed uint64, share float64) bool {
	return float64(draw(seed, 0, "chosen")) < share*(1<<53)
}
