package qemu

import "golang.org/x/sys/unix"

// Pin keeps QEMU on one of the host's cores. It has to be called before QEMU has
// threads, right after Start.
func (p *Process) Pin() error {
	var allowed, one unix.CPUSet
	if err := unix.SchedGetaffinity(0, &allowed); err != nil {
		return err
	}
	for cpu := range 8 * len(allowed) * 8 {
		if allowed.IsSet(cpu) {
			one.Set(cpu)
			return unix.SchedSetaffinity(p.PID(), &one)
		}
	}
	return nil
}
