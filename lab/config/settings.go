package config

import (
	"runtime"
	"strings"

	"github.com/spf13/pflag"

	"ghostlab/kernels"
)

// setting is a key with its default and its meaning.
type setting struct {
	key, about string
	value      any
}

// settings are all keys, in the order `lab config` prints them.
func settings() []setting {
	cross := "aarch64-linux-gnu-"
	if runtime.GOARCH == "arm64" {
		cross = ""
	}
	return []setting{
		{"kernel", "kernel `series` to boot: " + strings.Join(kernels.Known(), ", "), "5.15"},
		{"kernel_source", "Linux source `tree` or tarball to build, instead of the series' own sources", ""},
		{"stand_in", "where the series' sources cannot be had, build a newer series in its place and say so", true},
		{"go", "Go `release` that compiles the program under test", "1.21.6"},
		{"cpu", "QEMU's `name` of the CPU model", "cortex-a57"},
		{"cpus", "`number` of vCPUs of a guest, 1 to 8", 2},
		{"memory", "memory of a guest in `MiB`", 512},
		{"cache", "`folder` of built kernels and images; empty means ghostlab in the user's cache folder", ""},
		{"runs", "`folder` that runs are written to", "runs"},
		{"scenarios", "`folder` in which scenarios are found by their name", "scenarios"},
		{"qemu", "`program` that emulates arm64", "qemu-system-aarch64"},
		{"cross_compile", "`prefix` of the arm64 compiler's and linker's names", cross},
		{"jobs", "`number` of processes of a kernel build, and of vCPUs of all guests that run at once; 0 means one for each core", 0},
	}
}

// AddFlags adds a flag for each setting.
func AddFlags(flags *pflag.FlagSet) {
	flags.String("config", "", "settings `file` (default: lab.yaml here or in a folder above)")
	for _, s := range settings() {
		name, about := flagName(s.key), s.about
		switch v := s.value.(type) {
		case string:
			flags.String(name, v, about)
		case bool:
			flags.Bool(name, v, about)
		case int:
			flags.Int(name, v, about)
		}
	}
}

func flagName(key string) string { return strings.ReplaceAll(key, "_", "-") }

func envName(key string) string { return "LAB_" + strings.ToUpper(key) }
