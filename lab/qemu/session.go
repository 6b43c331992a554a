package qemu

import "fmt"

// Terminal is the serial console on a unix socket, for one who types. What the
// guest says goes to Log too.
type Terminal struct{ Socket, Log string }

func (t Terminal) Args() []string {
	return []string{
		"-chardev", "socket,id=terminal,path=" + escape(t.Socket) + ",server=on,wait=off,logfile=" + escape(t.Log),
		"-serial", "chardev:terminal",
	}
}

// KernelArgs are those of the console alone: who types wants no kernel's early words.
func (Terminal) KernelArgs() []string { return []string{"console=ttyAMA0"} }

func (Terminal) plumbing() {}

// Share is a folder of the host's that the guest can mount by 9P. Files that the
// guest makes belong to lab's user.
type Share struct {
	noKernelArgs
	Dir, Tag string
}

func (s Share) Args() []string {
	return []string{
		"-fsdev", "local,id=share,security_model=none,multidevs=remap,path=" + escape(s.Dir),
		"-device", "virtio-9p-pci,fsdev=share,mount_tag=" + escape(s.Tag),
	}
}

func (Share) plumbing() {}

// Forward is a network card behind which is nothing but a way in: connections
// to a port of the host's loopback interface reach TCP port Port of the guest.
// The host chooses its own port, "info usernet" tells it. The guest reaches
// nobody.
type Forward struct{ Port int }

// GuestAddress is the guest's in QEMU's user network, routerAddress QEMU's own
// (QEMU, docs/system/devices/net.rst).
const (
	GuestAddress  = "10.0.2.15"
	routerAddress = "10.0.2.2"
)

func (f Forward) Args() []string {
	return []string{
		"-netdev", fmt.Sprintf("user,id=forward,restrict=on,ipv6=off,hostfwd=tcp:127.0.0.1:0-%s:%d", GuestAddress, f.Port),
		// Without the firmware's part, which can be a package of its own.
		"-device", "virtio-net-pci,netdev=forward,romfile=",
	}
}

func (Forward) KernelArgs() []string {
	return []string{"ip=" + GuestAddress + "::" + routerAddress + ":255.255.255.0::eth0:off"}
}

func (Forward) plumbing() {}
