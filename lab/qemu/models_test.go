package qemu

import (
	"slices"
	"strings"
	"testing"
)

func TestCheckModel(t *testing.T) {
	for model, want := range map[string]string{
		"cortex-a72":      "",
		"max,pauth=off":   "",
		"cortex-a15":      "it is a 32-bit processor",
		"max,nothing=off": "Property 'max-arm-cpu.nothing' not found",
	} {
		got := ""
		if err := CheckModel("qemu-system-aarch64", model); err != nil {
			got = err.Error()
		}
		if (got == "") != (want == "") || !strings.Contains(got, want) {
			t.Errorf("%s: %q, want %q", model, got, want)
		}
	}
}

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
