package host

import (
	"runtime"
	"strings"
	"testing"
)

// The beginnings of /proc/cpuinfo on an x86 and on an arm64 host.
func TestModel(t *testing.T) {
	for text, want := range map[string]string{
		"processor\t: 0\nvendor_id\t: X\nmodel name\t: Some CPU @ 2.0GHz\n\nprocessor\t: 1\nmodel name\t: Another\n": "Some CPU @ 2.0GHz",
		"processor\t: 0\nBogoMIPS\t: 243.75\nFeatures\t: fp asimd\nCPU implementer\t: 0x41\nCPU architecture: 8\n" +
			"CPU variant\t: 0x3\nCPU part\t: 0xd0c\nCPU revision\t: 1\n": "implementer 0x41 part 0xd0c variant 0x3 revision 1",
		"processor: 0\n": "",
	} {
		if got := model(fields(strings.NewReader(text))); got != want {
			t.Errorf("got %q, want %q of\n%s", got, want, text)
		}
	}
}

func TestThisHostTells(t *testing.T) {
	if CPU() == "" {
		t.Error("no name of the processor")
	}
	if Kernel() == "" {
		t.Error("no release of the kernel")
	}
	if FreeMemory() == 0 && runtime.GOOS == "linux" {
		t.Error("no free memory")
	}
}
