package bench

import (
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"ghostlab/images"
	"ghostlab/initramfs/wire"
	"ghostlab/lab/labtest"
	"ghostlab/lab/matrix"
	"ghostlab/lab/order"
	"ghostlab/lab/vm"
)

// BenchmarkFence measures what Arm's memory order costs the parallel engine: trials in
// guests with the plugin against guests without, in processor time, since two vCPUs
// that race wait for one another by spinning, the longer the busier the host is.
//
// Forks translate nearly all that they execute, and QEMU 7.2 makes operations for
// callbacks before and after each instruction and access as soon as there is any plugin,
// and throws them away again (accel/tcg/plugin-gen.c): one that looks at no instruction
// costs them as much. Trials that share a guest find the code translated, and pay for the
// fences.
func BenchmarkFence(b *testing.B) {
	s, cfg := race(b)
	cfg.VCPUs = 2
	fence, err := order.Fence(b.Context(), labtest.Store(b), cfg.QEMU, cfg.Version)
	if err != nil {
		b.Fatal(err)
	}
	atomics := cfg
	img := labtest.Image(b, filepath.Join("testdata", "atomics"))
	atomics.Initramfs = img.Initramfs
	for _, c := range []struct {
		name string
		cfg  vm.Config
		wire.Trial
	}{
		{"ghost-map", cfg, spec(s, 1).Trials[0]},
		{"atomics", atomics, wire.Trial{ID: 1, Argv: []string{images.ProgramPath}, Env: []string{"HOME=/tmp"}, Timeout: time.Minute}},
	} {
		cfg := forkable(b, c.cfg, vm.Engine{})
		cfg.Dir = b.TempDir()
		guest := func(fence string, seed, trials int) time.Duration {
			cfg := cfg
			cfg.Fence, cfg.Spec = fence, wire.Spec{}
			for i := range trials {
				t := c.Trial
				t.ID, t.Seed = i+1, uint64(seed+i)
				cfg.Spec.Trials = append(cfg.Spec.Trials, t)
			}
			before, ended := childrenTime(b), 0
			_, err := vm.Run(b.Context(), cfg, func(m vm.Message) {
				if m.Kind == wire.End && m.Result.Error == "" {
					ended++
				}
			})
			if err != nil || ended != trials {
				b.Fatalf("%d of %d ended: %v", ended, trials, err)
			}
			return childrenTime(b) - before
		}
		for _, x := range []struct {
			isolation      string
			guests, trials int
			limit          float64
		}{{matrix.Fork, rounds * each, 1, 1.35}, {matrix.Process, rounds, 40, 1.10}} {
			var with, without time.Duration
			for n := range x.guests {
				with += guest(fence, 1+n*x.trials, x.trials)
				without += guest("", 1+n*x.trials, x.trials)
			}
			b.Logf("a trial of %s, isolation %s: with %v, without %v", c.name, x.isolation, with/time.Duration(x.guests*x.trials), without/time.Duration(x.guests*x.trials))
			ratio(b, "fence-"+c.name+"-"+x.isolation, with.Seconds()/without.Seconds(), x.limit)
		}
	}
}

// childrenTime is the processor time of the emulators that have ended.
func childrenTime(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_CHILDREN, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
