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
		{"/etc/services", services},
		{"/etc/protocols", "icmp 1 ICMP\ntcp 6 TCP\nudp 17 UDP\nipv6-icmp 58 IPv6-ICMP\n"},
		{"/etc/os-release", "NAME=lab\nID=lab\nPRETTY_NAME=lab\n"},
		{"/etc/machine-id", "6c6162206775657374206f6620676f00\n"},
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

// services are the names that programs look up rather than write as numbers
// (IANA, Service Name and Transport Protocol Port Number Registry).
const services = `ftp 21/tcp
ssh 22/tcp
telnet 23/tcp
smtp 25/tcp
domain 53/tcp
domain 53/udp
http 80/tcp
pop3 110/tcp
ntp 123/udp
imap 143/tcp
snmp 161/udp
ldap 389/tcp
https 443/tcp
https 443/udp
syslog 514/udp
imaps 993/tcp
pop3s 995/tcp
mysql 3306/tcp
postgresql 5432/tcp
amqp 5672/tcp
redis 6379/tcp
`
