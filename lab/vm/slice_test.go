package vm

import (
	"testing"
	"time"

	"ghostlab/images"
	"ghostlab/initramfs/wire"
	"ghostlab/lab/labtest"
)

// Short time slices end on time, so that two threads meet in a window of a few
// instructions also where they share a vCPU.
func TestShortSlicesShowAShortWindow(t *testing.T) {
	img := labtest.Image(t, "../bench/testdata/races")
	const trials = 80
	shown := func(slice func(trial int) time.Duration) (n int) {
		cfg := Config{
			QEMU: "qemu-system-aarch64", CPU: "cortex-a57", VCPUs: 1, Memory: 512,
			Kernel: img.Kernel.Image(), Initramfs: img.Initramfs, Silence: 2 * time.Minute,
			Engine: Engine{Deterministic: true, Shift: 3},
		}
		for i := range trials {
			cfg.Spec.Trials = append(cfg.Spec.Trials, wire.Trial{
				ID: i + 1, Argv: []string{images.ProgramPath, "-race=once"}, Timeout: time.Minute,
				Env: []string{"GOMAXPROCS=2"}, Seed: uint64(i + 1), Slice: slice(i),
			})
		}
		_, err := Run(t.Context(), cfg, func(m Message) {
			if m.Kind == wire.End && m.Result.Exit == 3 {
				n++
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	// From half to one and a half times 20 µs, as a hunt draws them: which of them
	// fit the window depends on how many instructions the kernel takes of each.
	short := shown(func(i int) time.Duration { return time.Duration(10000 + 20000*i/trials) })
	own := shown(func(int) time.Duration { return 0 })
	t.Logf("shown in %d of %d trials with short slices, in %d with the kernel's own", short, trials, own)
	if short < 3 || short <= own {
		t.Errorf("shown in %d of %d trials with short slices, in %d with the kernel's own", short, trials, own)
	}
}
