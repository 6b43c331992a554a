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
	shown := func(slice time.Duration) (n int) {
		cfg := Config{
			QEMU: "qemu-system-aarch64", CPU: "cortex-a57", VCPUs: 1, Memory: 512,
			Kernel: img.Kernel.Image(), Initramfs: img.Initramfs, Silence: 2 * time.Minute,
			Engine: Engine{Deterministic: true, Shift: 3},
		}
		for i := range 40 {
			cfg.Spec.Trials = append(cfg.Spec.Trials, wire.Trial{
				ID: i + 1, Argv: []string{images.ProgramPath, "-race=once"}, Timeout: time.Minute,
				Env: []string{"GOMAXPROCS=2"}, Seed: uint64(i + 1), Slice: slice,
				Phase: time.Duration(i) * 173 * time.Microsecond,
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
	// Which lengths meet the window depends on how long the program's rounds are.
	short, own := shown(14*time.Microsecond)+shown(50*time.Microsecond), shown(0)
	if short < 3 || short <= own {
		t.Errorf("shown in %d of 80 trials with short slices, in %d of 40 with the kernel's own", short, own)
	}
}
