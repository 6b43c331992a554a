package qemu

import "fmt"

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
