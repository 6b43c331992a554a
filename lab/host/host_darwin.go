package host

import "golang.org/x/sys/unix"

// CPU names the host's processor, empty where it does not tell.
func CPU() string {
	name, _ := unix.Sysctl("machdep.cpu.brand_string")
	return name
}

// FreeMemory is the memory that programs can still take, in MiB; 0 where the host
// does not tell.
func FreeMemory() int { return 0 }
