package host

import "golang.org/x/sys/unix"

// Kernel is the release of the host's kernel, empty where it does not tell.
func Kernel() string {
	var u unix.Utsname
	if unix.Uname(&u) != nil {
		return ""
	}
	return unix.ByteSliceToString(u.Release[:])
}
