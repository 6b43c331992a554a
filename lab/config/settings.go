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
		{"kernel", "kernel series: " + strings.Join(kernels.Known(), ", "), "5.15"},
		{"kernel_source", "kernel tree or tarball to build instead of the series' sources", ""},
		{"stand_in", "where the series cannot be had, build its stand-in and say so", true},
		{"go", "Go release that compiles the program under test", "1.21.6"},
		{"cpu", "QEMU's CPU model", "cortex-a57"},
		{"cpus", "vCPUs of a guest", 2},
		{"memory", "memory of a guest in MiB", 512},
		{"cache", "folder of kernels and images; empty means ghostlab in the user's cache folder", ""},
		{"runs", "folder of runs", "runs"},
		{"scenarios", "folder of scenarios", "scenarios"},
		{"qemu", "the emulator", "qemu-system-aarch64"},
		{"cross_compile", "prefix of the arm64 compiler", cross},
		{"jobs", "processes of a kernel build, and vCPUs of all guests together; 0 means the number of cores", 0},
	}
}

// AddFlags adds a flag for each setting.
func AddFlags(flags *pflag.FlagSet) {
	flags.String("config", "", "settings file (default: lab.yaml here or in a folder above)")
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
