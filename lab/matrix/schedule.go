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

// Knobs are what widens a search: how many vCPUs take turns, and how often.
type Knobs struct {
	VCPUs int `json:"vcpus"`
	// Shift makes an instruction take 2^Shift ns: the slower the virtual CPU,
	// the fewer instructions between two interrupts. It is -1 in the parallel
	// engine.
	Shift int `json:"shift"`
	// Slice is the kernel scheduler's time slice, of threads that share a vCPU;
	// 0 leaves the kernel's own.
	Slice time.Duration `json:"slice,omitempty"`
	// SingleStep lets vCPUs take turns between any two instructions.
	SingleStep bool `json:"single_step,omitempty"`
}

func (k Knobs) String() string {
	s := fmt.Sprintf("%d vCPU", k.VCPUs)
	if k.VCPUs != 1 {
		s += "s"
	}
	if !k.Deterministic() {
		return s + ", parallel"
	}
	s += fmt.Sprintf(", shift %d", k.Shift)
	if k.Slice > 0 {
		s += fmt.Sprintf(", slice %v", k.Slice)
	}
	if k.SingleStep {
		s += ", single step"
	}
	return s
}

// Deterministic says whether the engine is the deterministic one.
func (k Knobs) Deterministic() bool { return k.Shift >= 0 }

// Schedule is what decides how a trial's threads interleave. It is recorded with
// each trial; in the deterministic engine the same schedule gives the same trial.
type Schedule struct {
	// Seed decides the guest's random numbers and addresses.
	Seed uint64 `json:"seed"`
	Knobs
	// Phase is how long the guest waits before the program starts.
	Phase time.Duration `json:"phase,omitempty"`
}

// String names the schedule in a few words.
func (s Schedule) String() string {
	text := fmt.Sprintf("seed %d, %v", s.Seed, s.Knobs)
	if s.Deterministic() {
		text += fmt.Sprintf(", phase %v", s.Phase)
	}
	return text
}

// phaseMost is two and a half ticks of the kernel, and the Go scheduler's time
// slice: a phase from below it puts the program anywhere in both.
const phaseMost = 10 * time.Millisecond

// Schedule returns the schedule of trial n of a cell. vcpus is the number of
// vCPUs of cells without that axis.
func (m *Matrix) Schedule(c Cell, n, vcpus int) Schedule {
	s := Schedule{Seed: draw(m.Seed, uint64(n), "seed"), Knobs: Knobs{VCPUs: c.VCPUs(vcpus), Shift: m.Shift}}
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

// Hunting returns the schedule of trial n of a hunt. Its slice is one from half to
// one and a half of what the knobs say, so that trials are not all cut in the same
// places.
func (m *Matrix) Hunting(n int, knobs Knobs) Schedule {
	s := Schedule{Seed: draw(m.Seed, uint64(n), "seed"), Knobs: knobs}
	s.Phase = phase(s.Seed)
	if knobs.Slice > 0 {
		s.Slice = knobs.Slice/2 + time.Duration(draw(s.Seed, 0, "slice")%uint64(knobs.Slice))
	}
	return s
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
