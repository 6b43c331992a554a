package host

import (
	"os"
	"strconv"
	"strings"
)

// CPU names the host's processor, empty where it does not tell.
func CPU() string { return model(proc("cpuinfo")) }

// FreeMemory is the memory that programs can still take, in MiB; 0 where the host
// does not tell.
func FreeMemory() int {
	kib, _ := strconv.Atoi(strings.TrimSuffix(proc("meminfo")["MemAvailable"], " kB"))
	return kib >> 10
}

func proc(name string) map[string]string {
	f, err := os.Open("/proc/" + name)
	if err != nil {
		return nil
	}
	defer f.Close()
	return fields(f)
}
