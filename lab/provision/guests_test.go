package provision

import (
	"testing"

	"ghostlab/lab/host"
	"ghostlab/lab/matrix"
	"ghostlab/lab/vm"
)

func TestGuestsAtOnce(t *testing.T) {
	free := max(host.FreeMemory(), 1)
	large := 1
	if host.FreeMemory() == 0 {
		large = 8 // the host does not tell
	}
	for _, c := range []struct {
		what, engine, vcpus string
		memory, asked, want int
	}{
		{what: "asked for", asked: 5, want: 5},
		{what: "the settings' vCPUs", engine: matrix.Parallel, memory: 1, want: 4},
		{what: "an axis", engine: matrix.Parallel, vcpus: "8", memory: 1, want: 1},
		{what: "more vCPUs than cores", engine: matrix.Parallel, vcpus: "64", memory: 1, want: 1},
		{what: "vCPUs on one core", engine: matrix.Deterministic, vcpus: "8", memory: 1, want: 8},
		{what: "large guests", engine: matrix.Deterministic, memory: free, want: large},
	} {
		axes := map[string]string{}
		if c.vcpus != "" {
			axes[matrix.AxisVCPUs] = c.vcpus
		}
		if got := Guests(c.asked, 8, &matrix.Matrix{Engine: c.engine}, []matrix.Cell{{Axes: axes}}, vm.Config{VCPUs: 2, Memory: c.memory}); got != c.want {
			t.Errorf("%s: %d guests, want %d", c.what, got, c.want)
		}
	}
}
