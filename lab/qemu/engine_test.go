package qemu

import (
	"strings"
	"testing"
)

func TestEngineArguments(t *testing.T) {
	const clock = " -rtc base=2026-01-01,clock=vm -seed 1"
	for _, c := range []struct {
		device Device
		want   string
	}{
		{Parallel{}, "-accel tcg,thread=multi"},
		{Parallel{Accelerator: "tcg", Alone: true}, "-accel tcg,thread=single"},
		{Parallel{Accelerator: "kvm", Alone: true}, "-accel kvm -machine gic-version=host"},
		{Parallel{Accelerator: "hvf"}, "-accel hvf"},
		{Deterministic{Shift: 6}, "-accel tcg,thread=single -icount shift=6,sleep=off" + clock},
		{Deterministic{SingleStep: true, Version: "7.2.22 (Debian 1:7.2)"}, "-accel tcg,thread=single -icount shift=0,sleep=off" + clock + " -singlestep"},
		{Deterministic{SingleStep: true, Version: "8.0.5"}, "-accel tcg,thread=single -icount shift=0,sleep=off" + clock + " -singlestep"},
		{Deterministic{SingleStep: true, Version: "8.1.0"}, "-accel tcg,thread=single,one-insn-per-tb=on -icount shift=0,sleep=off" + clock},
		{Deterministic{SingleStep: true, Version: "10.0.2"}, "-accel tcg,thread=single,one-insn-per-tb=on -icount shift=0,sleep=off" + clock},
	} {
		if got := strings.Join(c.device.Args(), " "); got != c.want {
			t.Errorf("%+v\n got %s\nwant %s", c.device, got, c.want)
		}
	}
}

func TestAcceleratorIsTheHostsProcessorWhereItIsARM64(t *testing.T) {
	for _, c := range []struct {
		system, arch string
		kvm          bool
		want         string
	}{
		{"linux", "amd64", true, "tcg"}, // another instruction set, whatever KVM could do with it
		{"linux", "arm64", false, "tcg"},
		{"linux", "arm64", true, "kvm"},
		{"darwin", "arm64", false, "hvf"},
		{"darwin", "amd64", false, "tcg"},
	} {
		if got := accelerator(c.system, c.arch, c.kvm); got != c.want {
			t.Errorf("%s/%s, kvm %v: got %s, want %s", c.system, c.arch, c.kvm, got, c.want)
		}
	}
}
