package main

import (
	"bufio"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"

	"ghostlab/lab/journal"
)

// labVersion identifies this build of lab, as far as it was told.
func labVersion() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			return s.Value
		}
	}
	return info.Main.Version
}

func hostInfo() journal.Host {
	return journal.Host{OS: runtime.GOOS, Arch: runtime.GOARCH, CPU: cpuModel(), Cores: runtime.NumCPU()}
}

func cpuModel() string { return procField("/proc/cpuinfo", "model name") }

// freeMemory is the memory that programs can still take, in MiB; 0 where the
// host does not tell.
func freeMemory() int {
	kib, _ := strconv.Atoi(strings.TrimSuffix(procField("/proc/meminfo", "MemAvailable"), " kB"))
	return kib >> 10
}

// procField returns the first value of that name in a file of "name: value"
// lines, and nothing where there is no such file.
func procField(file, field string) string {
	f, err := os.Open(file)
	if err != nil {
		return ""
	}
	defer f.Close()
	for sc := bufio.NewScanner(f); sc.Scan(); {
		if name, value, ok := strings.Cut(sc.Text(), ":"); ok && strings.TrimSpace(name) == field {
			return strings.TrimSpace(value)
		}
	}
	return ""
}
