package cli

import (
	"runtime/debug"
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
