package cli

import (
	"context"

	"ghostlab/kernels"
	"ghostlab/lab/journal"
	"ghostlab/lab/order"
	"ghostlab/lab/progress"
	"ghostlab/lab/qemu"
	"ghostlab/lab/store"
)

// memoryOrder returns the plugin that keeps Arm's memory order in the parallel engine,
// "" where there is none, and what its self-test on this host has shown.
func (a *app) memoryOrder(ctx context.Context, st *store.Store, out *progress.Output, version string, k *kernels.Kernel) (fence string, m *journal.MemoryOrder, err error) {
	fence, m, err = order.Ensure(ctx, order.Test{
		Store: st, QEMU: a.cfg.QEMU, Version: version, Kernel: k, Go: a.cfg.Go,
		Begins: func() { out.Printf("memory order: a test of this QEMU on this host, once, some seconds") },
	})
	if err == nil && m.Verdict() != journal.OrderKept {
		out.Printf("memory order %s", m)
	}
	return fence, m, err
}

// fence is the plugin for a session, "" where this host cannot have it. A session has
// no result that could be wrong.
func (a *app) fence(ctx context.Context, st *store.Store) string {
	version, err := qemu.Version(ctx, a.cfg.QEMU)
	if err != nil {
		return "" // which its guest will say
	}
	file, err := order.Fence(ctx, st, a.cfg.QEMU, version)
	if err != nil {
		return ""
	}
	return file
}
