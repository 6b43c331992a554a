package runner

import (
	"testing"

	"ghostlab/images"
	"ghostlab/kernels"
	"ghostlab/lab/matrix"
	"ghostlab/lab/vm"
)

// A cell's guest is what its axes say, and the settings' where they say nothing.
func TestCellsHaveTheirGuest(t *testing.T) {
	image := func(dir string) *images.Image { return &images.Image{Kernel: &kernels.Kernel{Dir: dir}} }
	r := &run{Job: Job{
		Matrix: &matrix.Matrix{Engine: matrix.Parallel, Isolation: matrix.Fork},
		Cells: []matrix.Cell{
			{Index: 0, Axes: map[string]string{}},
			{Index: 1, Axes: map[string]string{"kernel": "6.1", "go": "1.24.6", "cpu": "max", "memory": "1G", "vcpus": "4", "isolation": "boot", "engine": "deterministic", "shift": "5"}},
		},
		Kernel: "5.15", Go: "1.21.6",
		Image:   map[string]*images.Image{images.Name("5.15", "1.21.6"): image("old"), images.Name("6.1", "1.24.6"): image("new")},
		Machine: vm.Config{CPU: "cortex-a57", VCPUs: 2, Memory: 512},
	}}
	for i, want := range []struct {
		kernel, cpu, isolation string
		vcpus, memory, shift   int
	}{
		{"old/Image", "cortex-a57", matrix.Fork, 2, 512, 0},
		{"new/Image", "max", matrix.Boot, 4, 1024, 5},
	} {
		k := r.kind(&trial{cell: i, schedule: r.Matrix.Schedule(r.Cells[i], 1, r.Machine.VCPUs)})
		cfg := r.config(k)
		if cfg.Kernel != want.kernel || cfg.CPU != want.cpu || k.isolation != want.isolation ||
			cfg.VCPUs != want.vcpus || cfg.Memory != want.memory || cfg.Engine.Shift != want.shift {
			t.Errorf("cell %d: %+v of %+v, want %+v", i, cfg, k, want)
		}
	}
}
