//go:build !linux

package host

// Pin does nothing: only Linux keeps a process on one CPU.
func Pin(int) (release func()) { return func() {} }
