package qemu

import (
	"slices"
	"testing"
)

func TestModels(t *testing.T) {
	names, err := Models("qemu-system-aarch64")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"cortex-a57", "cortex-a72", "max"} {
		if !slices.Contains(names, want) {
			t.Errorf("no %s in %q", want, names)
		}
	}
}
