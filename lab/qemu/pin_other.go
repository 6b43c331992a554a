//go:build !linux

package qemu

// Pin does nothing where threads cannot be bound to a core.
func (p *Process) Pin() error { return nil }
