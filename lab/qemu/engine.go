package qemu

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
)

// Parallel runs the guest's vCPUs at the same time, on threads of their own.
type Parallel struct {
	noKernelArgs
	// Accelerator is tcg, kvm or hvf. Empty means tcg.
	Accelerator string
	// Alone is set for a machine of one vCPU: its atomic instructions need not
	// be the host's.
	Alone bool
}

func (p Parallel) Args() []string {
	switch {
	case p.Accelerator == "kvm":
		// The interrupt controller has to be one that the host's own is or can
		// play.
		return []string{"-accel", "kvm", "-machine", "gic-version=host"}
	case p.Accelerator != "" && p.Accelerator != "tcg":
		return []string{"-accel", p.Accelerator}
	case p.Alone:
		return []string{"-accel", "tcg,thread=single"}
	}
	return []string{"-accel", "tcg,thread=multi"}
}

// HostAccelerator is the fastest accelerator that this host has for arm64
// guests.
func HostAccelerator() string {
	f, err := os.OpenFile("/dev/kvm", os.O_RDWR, 0)
	if err == nil {
		f.Close()
	}
	return accelerator(runtime.GOOS, runtime.GOARCH, err == nil)
}

// accelerator is the host's own processors where they are arm64 and may be used,
// else tcg.
func accelerator(system, arch string, kvm bool) string {
	switch {
	case arch != "arm64":
		return "tcg"
	case system == "darwin":
		return "hvf"
	case kvm:
		return "kvm"
	}
	return "tcg"
}

// Deterministic runs all vCPUs on one thread and counts their instructions:
// time is the number of instructions, whatever the host does meanwhile.
type Deterministic struct {
	noKernelArgs
	// Shift makes an instruction take 2^Shift ns of the guest's time.
	Shift int
	// SingleStep ends each translation block after one instruction, so that
	// vCPUs can take turns between any two.
	SingleStep bool
	// Version is QEMU's, for an option that changed its name.
	Version string
}

func (d Deterministic) Args() []string {
	accel := "tcg,thread=single"
	args := []string{}
	if d.SingleStep {
		if oneInsnPerTB(d.Version) {
			accel += ",one-insn-per-tb=on"
		} else {
			args = append(args, "-singlestep")
		}
	}
	return append([]string{
		"-accel", accel, "-icount", fmt.Sprintf("shift=%d,sleep=off", d.Shift),
		// The guest's date is the same in every run; QEMU's own random
		// numbers, which the guest gets with its device tree, too.
		"-rtc", "base=2026-01-01,clock=vm", "-seed", "1",
	}, args...)
}

// oneInsnPerTB says whether the emulator has the accelerator's property of that
// name, which replaced -singlestep (QEMU 8.1, docs/about/deprecated).
func oneInsnPerTB(version string) bool {
	major, rest, _ := strings.Cut(version, ".")
	minor, _, _ := strings.Cut(rest, ".")
	a, _ := strconv.Atoi(major)
	b, _ := strconv.Atoi(minor)
	return a > 8 || a == 8 && b >= 1
}
