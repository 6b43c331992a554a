package provision

import (
	"context"

	"ghostlab/kernels"
	"ghostlab/lab/journal"
	"ghostlab/lab/order"
	"ghostlab/lab/qemu"
)

// MemoryOrder returns the plugin that keeps Arm's memory order in the parallel engine,
// "" where there is none, and what its self-test on this host has shown.
func (p Provider) MemoryOrder(ctx context.Context, version string, k *kernels.Kernel) (fence string, m *journal.MemoryOrder, err error) {
	fence, m, err = order.Ensure(ctx, order.Test{
		Store: p.Store, QEMU: p.Settings.QEMU, Version: version, Kernel: k, Go: p.Settings.Go,
		Begins: func() { p.Out.Printf("memory order: a test of this QEMU on this host, once, some seconds") },
	})
	if err == nil && m.Verdict() != journal.OrderKept {
		p.Out.Printf("memory order %s", m)
	}
	return fence, m, err
}

// Fence is the plugin for a session, "" where this host cannot have it. A session has
// no result that could be wrong.
func (p Provider) Fence(ctx context.Context) string {
	version, err := qemu.Version(ctx, p.Settings.QEMU)
	if err != nil {
		return "" // which its guest will say
	}
	file, err := order.Fence(ctx, p.Store, p.Settings.QEMU, version)
	if err != nil {
		return ""
	}
	return file
}
