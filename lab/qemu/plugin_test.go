package qemu

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestPluginInterface(t *testing.T) {
	for version, want := range map[string]int{
		"7.2.22 (Debian 1:7.2+dfsg-7+deb12u18+b3)": 1,
		"8.2.2 (Debian 1:8.2.2+ds-0ubuntu1)":       1,
		"9.0.0":                                    2,
		"9.1.0":                                    3,
		"10.0.2 (Debian 1:10.0.2+ds-2)":            3,
		"11.0":                                     3,
		"":                                         3,
		"next":                                     3,
	} {
		if got := PluginInterface(version); got != want {
			t.Errorf("%q: got %d, want %d", version, got, want)
		}
	}
}

func TestTakesPlugins(t *testing.T) {
	emulator := func(body string) string {
		path := filepath.Join(t.TempDir(), "qemu")
		if err := os.WriteFile(path, []byte("#!/bin/sh\n"+body+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
		return path
	}
	// What a QEMU says that was configured with --disable-plugins.
	bare := emulator(`case "$*" in *-plugin*) echo "qemu: -plugin file=none: plugin interface not enabled in this build" >&2; exit 1;; esac`)
	if err := TakesPlugins(t.Context(), bare); err == nil || !strings.Contains(err.Error(), "not enabled in this build") {
		t.Errorf("got %v", err)
	}
	if err := TakesPlugins(t.Context(), emulator("echo QEMU emulator version 7.2.22")); err != nil {
		t.Error(err)
	}
	if err := TakesPlugins(t.Context(), filepath.Join(t.TempDir(), "none")); err == nil {
		t.Error("an emulator that is not there takes plugins")
	}
}
