// Package provision makes what guests need, as the settings say: kernels, images, the
// machine, and the plugin that keeps its memory order. It also decides what a past run
// may name: see Provider.MayFollow. What is run in the guests belongs to others.
package provision

import (
	"context"

	"ghostlab/kernels"
	"ghostlab/lab/config"
	"ghostlab/lab/host"
	"ghostlab/lab/matrix"
	"ghostlab/lab/progress"
	"ghostlab/lab/qemu"
	"ghostlab/lab/store"
	"ghostlab/lab/vm"
)

// Provider makes what guests need. It is a value: With returns another one.
type Provider struct {
	// Settings are those of this lab, or what a past run has in their place.
	Settings config.Config
	// Store keeps what is made, and Out shows how that goes on.
	Store *store.Store
	Out   *progress.Output
	// Trust is the user's word that what a run from elsewhere names may be followed.
	Trust bool
}

// With returns a provider with other settings.
func (p Provider) With(settings config.Config) Provider {
	p.Settings = settings
	return p
}

// KernelOptions says how the kernel that settings ask for may be had. With retry servers
// that failed a moment ago are asked again.
func KernelOptions(settings config.Config, retry bool) kernels.Options {
	return kernels.Options{
		Series:       settings.Kernel,
		Source:       settings.KernelSource,
		StandIn:      settings.StandIn,
		CrossCompile: settings.CrossCompile,
		Jobs:         settings.Jobs,
		Retry:        retry,
	}
}

// Kernel returns the kernel that the settings ask for, built now where need be.
func (p Provider) Kernel(ctx context.Context, retry bool) (*kernels.Kernel, error) {
	return p.ensureKernel(ctx, KernelOptions(p.Settings, retry))
}

// ensureKernel returns a kernel and says where it is a stand-in.
func (p Provider) ensureKernel(ctx context.Context, opt kernels.Options) (*kernels.Kernel, error) {
	k, err := kernels.Ensure(ctx, p.Store, opt, p.Out)
	if err != nil {
		return nil, err
	}
	if k.StandIn {
		p.Out.Printf("kernel %s cannot be had (`lab doctor` says why), %s stands in", k.Asked, k.Manifest.Version)
	}
	return k, nil
}

// Machine returns the guest that settings describe. version is what QEMU calls itself;
// a guest that is never forked needs none.
func Machine(settings config.Config, version string) vm.Config {
	return vm.Config{
		QEMU: settings.QEMU, Version: version, CPU: settings.CPU, VCPUs: settings.CPUs, Memory: settings.Memory,
		Engine: vm.Engine{Accelerator: qemu.HostAccelerator()},
	}
}

// Guests returns how many guests run at once: what was asked for, or as many of the
// cells' largest as the host has cores and memory for. jobs is the number of vCPUs of
// all guests together. A deterministic guest takes one core, whatever its vCPUs.
func Guests(asked, jobs int, m *matrix.Matrix, cells []matrix.Cell, machine vm.Config) int {
	if asked > 0 {
		return asked
	}
	cores, memory := 1, 1
	for _, c := range cells {
		memory = max(memory, c.Memory(machine.Memory))
		if m.EngineOf(c) != matrix.Deterministic {
			cores = max(cores, c.VCPUs(machine.VCPUs))
		}
	}
	n := jobs / cores
	if free := host.FreeMemory(); free > 0 {
		// A running guest and the next one, prepared.
		n = min(n, free/(2*memory))
	}
	return max(1, n)
}
