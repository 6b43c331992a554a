package qemu

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestCheckModel(t *testing.T) {
	for model, want := range map[string]string{
		"cortex-a72":      "",
		"max,pauth=off":   "",
		"cortex-a15":      "it is a 32-bit processor",
		"max,nothing=off": "Property 'max-arm-cpu.nothing' not found",
	} {
		got := ""
		if err := CheckModel(t.Context(), "qemu-system-aarch64", model); err != nil {
			got = err.Error()
		}
		if (got == "") != (want == "") || !strings.Contains(got, want) {
			t.Errorf("%s: %q, want %q", model, got, want)
		}
	}
}

func TestModels(t *testing.T) {
	names, err := Models(t.Context(), "qemu-system-aarch64")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"cortex-a57", "cortex-a72", "max"} {
		if !slices.Contains(names, want) {
			t.Errorf("no %s in %q", want, names)
		}
	}
}

// A wrapper in the emulator's place that hangs does not hang lab, whatever it has
// started.
func TestEmulatorThatDoesNotAnswer(t *testing.T) {
	wrapper := filepath.Join(t.TempDir(), "qemu")
	if err := os.WriteFile(wrapper, []byte("#!/bin/sh\nsleep 20\necho version 9\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, ask := range map[string]func(context.Context) error{
		"version": func(ctx context.Context) error { _, err := Version(ctx, wrapper); return err },
		"models":  func(ctx context.Context) error { _, err := Models(ctx, wrapper); return err },
		"model":   func(ctx context.Context) error { return CheckModel(ctx, wrapper, "max") },
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		began := time.Now()
		if err := ask(ctx); err == nil || time.Since(began) > 15*time.Second {
			t.Errorf("%s: got %v after %v", name, err, time.Since(began))
		}
		cancel()
	}
}
