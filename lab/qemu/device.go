// Package qemu starts QEMU and talks to it: it turns devices into a command
// line, owns the process, and implements go-qemu's QMP monitor. What a machine
// is for, and what its end means, is decided in lab/vm.
package qemu

import (
	"fmt"
	"strings"

	"al.essio.dev/pkg/shellescape"
)

// Device is a part of the machine, or of the machinery around it.
type Device interface {
	// Args are QEMU's arguments for it.
	Args() []string
	// KernelArgs are what the kernel's command line needs for it.
	KernelArgs() []string
}

// plumbing marks devices that only mean something while lab runs. ByHand
// leaves them out.
type plumbing interface{ plumbing() }

type noKernelArgs struct{}

func (noKernelArgs) KernelArgs() []string { return nil }

// Machine is the virt board.
type Machine struct {
	noKernelArgs
	// CPU is the model, such as "cortex-a57".
	CPU string
	// VCPUs and Memory (MiB) are required.
	VCPUs, Memory int
}

func (m Machine) Args() []string {
	return []string{
		// Everything below 4 GiB: addresses in traces stay short and equal
		// between guests of different memory sizes.
		"-M", "virt,highmem=off",
		"-cpu", m.CPU + ",pmu=on",
		"-smp", fmt.Sprint(m.VCPUs),
		"-m", fmt.Sprint(m.Memory),
		"-nodefaults", "-display", "none",
		// The kernel says by it where it is, which dumps tell.
		"-device", "vmcoreinfo",
		// A guest that restarts itself has ended.
		"-no-reboot",
	}
}

// Kernel is what the machine boots.
type Kernel struct {
	Image, Initramfs string
	// Extra is appended to the command line.
	Extra []string
}

func (k Kernel) Args() []string { return []string{"-kernel", k.Image, "-initrd", k.Initramfs} }

func (k Kernel) KernelArgs() []string {
	return append([]string{"rdinit=/init", "quiet", "panic=-1", "oops=panic", "nokaslr"}, k.Extra...)
}

// Console is the serial console, written to a file.
type Console struct{ File string }

func (c Console) Args() []string { return []string{"-serial", "file:" + escape(c.File)} }

// KernelArgs are those of the console, and of the earlier one: a kernel that
// panics before it has its console is heard too.
func (Console) KernelArgs() []string { return []string{"console=ttyAMA0", "earlycon"} }

// PanicDevice is pvpanic: a write of the guest's to it has the effect OnWrite.
type PanicDevice struct {
	noKernelArgs
	OnWrite PanicAction
}

// PanicAction is QEMU's -action panic=. Empty means PanicEnds.
type PanicAction string

const (
	// PanicEnds ends QEMU at that instruction.
	PanicEnds PanicAction = "shutdown"
	// PanicPauses stops the machine there.
	PanicPauses PanicAction = "pause"
	// PanicIgnored lets the guest go on.
	PanicIgnored PanicAction = "none"
)

func (p PanicDevice) Args() []string {
	action := p.OnWrite
	if action == "" {
		action = PanicEnds
	}
	return []string{"-device", "pvpanic-pci", "-action", "panic=" + string(action)}
}

func (PanicDevice) plumbing() {}

// Stopped keeps the machine from running until QMP says "cont".
type Stopped struct {
	noKernelArgs
	// Incoming makes it wait for a snapshot first.
	Incoming bool
}

func (s Stopped) Args() []string {
	if !s.Incoming {
		return []string{"-S"}
	}
	return []string{
		"-incoming", "defer", "-global", "migration.x-events=on",
		// QEMU would announce itself to the network by timers on the host's
		// clock, which wake its main loop while the guest runs.
		"-global", "migration.announce-rounds=0",
	}
}

func (Stopped) plumbing() {}

// RAM makes the guest's memory a file: shared by the machine that is to be
// snapshotted, mapped privately by its clones.
type RAM struct {
	noKernelArgs
	File   string
	Size   int // MiB
	Shared bool
}

func (r RAM) Args() []string {
	share := "off"
	if r.Shared {
		share = "on"
	}
	return []string{
		"-machine", "memory-backend=ram",
		"-object", fmt.Sprintf("memory-backend-file,id=ram,size=%dM,mem-path=%s,share=%s", r.Size, escape(r.File), share),
	}
}

func (RAM) plumbing() {}

// FwCfg is a file that the guest reads by fw_cfg.
type FwCfg struct {
	noKernelArgs
	Name, File string
}

func (f FwCfg) Args() []string {
	return []string{"-fw_cfg", "name=" + escape(f.Name) + ",file=" + escape(f.File)}
}

// Shared is memory shared with the guest by an ivshmem device.
type Shared struct {
	noKernelArgs
	File string
	Size int // bytes, a power of two
	// Private gives the guest a copy: the file does not change.
	Private bool
}

func (s Shared) Args() []string {
	share := "on"
	if s.Private {
		share = "off"
	}
	return []string{
		"-object", fmt.Sprintf("memory-backend-file,id=mailbox,size=%d,mem-path=%s,share=%s", s.Size, escape(s.File), share),
		"-device", "ivshmem-plain,memdev=mailbox,master=on",
	}
}

func (Shared) plumbing() {}

// QMP is the monitor, on a unix socket.
type QMP struct {
	noKernelArgs
	Socket string
}

func (q QMP) Args() []string {
	return []string{"-qmp", "unix:" + escape(q.Socket) + ",server=on,wait=off"}
}

func (QMP) plumbing() {}

// GDB is the gdb stub, on a unix socket: QEMU's -s would listen on every interface.
type GDB struct {
	noKernelArgs
	Socket string
}

func (g GDB) Args() []string {
	return []string{"-gdb", "unix:" + escape(g.Socket) + ",server=on,wait=off"}
}

func (GDB) plumbing() {}

// escape doubles the commas of a value in QEMU's option syntax.
func escape(s string) string { return strings.ReplaceAll(s, ",", ",,") }

// Command is a machine's whole command line.
type Command struct {
	// Binary is the emulator, a path or a name to look up.
	Binary  string
	Devices []Device
}

// Argv is what is executed.
func (c Command) Argv() []string { return c.argv(c.Devices) }

// ByHand is a shell command that runs the same guest on a terminal, without
// the sockets and the shared memory that end with lab. Its input is the
// files it names and nothing else.
func (c Command) ByHand() string {
	var keep []Device
	for _, d := range c.Devices {
		if _, ok := d.(plumbing); ok {
			continue
		}
		if _, ok := d.(Console); ok {
			d = terminal{}
		}
		keep = append(keep, d)
	}
	words := c.argv(keep)
	for i, w := range words {
		words[i] = shellescape.Quote(w)
	}
	return strings.Join(words, " ")
}

// terminal is the serial console on QEMU's own stdin and stdout.
type terminal struct{}

func (terminal) Args() []string { return []string{"-serial", "stdio"} }

func (terminal) KernelArgs() []string { return Console{}.KernelArgs() }

func (c Command) argv(devices []Device) []string {
	argv := []string{c.Binary}
	var kernel []string
	boots := false
	for _, d := range devices {
		argv = append(argv, d.Args()...)
		kernel = append(kernel, d.KernelArgs()...)
		_, isKernel := d.(Kernel)
		boots = boots || isKernel
	}
	if boots {
		argv = append(argv, "-append", strings.Join(kernel, " "))
	}
	return argv
}
