//go:build linux

package main

import (
	"os"
	"syscall"
)

// userSpace makes the files that programs take for granted on a server. All of
// it is the guest's own: nothing here is copied from the host.
func userSpace() error {
	if err := syscall.Sethostname([]byte("lab")); err != nil {
		return err
	}
	if err := os.MkdirAll("/etc", 0o755); err != nil {
		return err
	}
	for _, f := range []struct{ name, text string }{
		{"/etc/passwd", "root:x:0:0:root:/tmp:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n"},
		{"/etc/group", "root:x:0:\nnogroup:x:65534:\n"},
		{"/etc/hostname", "lab\n"},
		{"/etc/hosts", "127.0.0.1 localhost lab\n::1 localhost\n"},
		// No name server: a query is refused at once, and does not time out.
		{"/etc/resolv.conf", "nameserver 127.0.0.1\noptions attempts:1\n"},
		{"/etc/nsswitch.conf", "hosts: files dns\n"},
	} {
		if err := os.WriteFile(f.name, []byte(f.text), 0o644); err != nil {
			return err
		}
	}
	for _, l := range []struct{ name, to string }{
		{"/dev/fd", "/proc/self/fd"}, {"/dev/stdin", "fd/0"}, {"/dev/stdout", "fd/1"}, {"/dev/stderr", "fd/2"},
	} {
		if err := os.Symlink(l.to, l.name); err != nil && !os.IsExist(err) {
			return err
		}
	}
	return nil
}
