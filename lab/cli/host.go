package cli

import (
	"runtime"
	"runtime/debug"

	"ghostlab/lab/host"
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
	return journal.Host{OS: runtime.GOOS, Arch: runtime.GOARCH, CPU: host.CPU(), Cores: runtime.NumCPU()}
}
