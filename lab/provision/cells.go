package provision

import (
	"context"
	"fmt"
	"slices"

	"ghostlab/images"
	"ghostlab/kernels"
	"ghostlab/lab/config"
	"ghostlab/lab/journal"
	"ghostlab/lab/matrix"
	"ghostlab/lab/progress"
	"ghostlab/lab/store"
	"ghostlab/lab/usage"
)

// Bootable is what the cells of a matrix boot.
type Bootable struct {
	// Kernels are those of the cells, in the order in which they ask for them.
	Kernels []*kernels.Kernel
	Images  map[string]*images.Image // by images.Name
}

// Bootable makes the kernels and images that cells need, or takes them from the store.
func (p Provider) Bootable(ctx context.Context, m *matrix.Matrix, cells []matrix.Cell) (*Bootable, error) {
	b := &Bootable{Images: map[string]*images.Image{}}
	options, err := KernelsOf(ctx, p.Store, p.Settings, cells)
	if err != nil {
		return nil, err
	}
	// What does not compile is said before a kernel is built.
	archives := map[string]*images.Archive{}
	for _, c := range cells {
		goVersion := c.Or(matrix.AxisGo, p.Settings.Go)
		if archives[goVersion] == nil {
			if archives[goVersion], err = images.Compile(ctx, p.Store, m.Scenario.Program(), goVersion); err != nil {
				return nil, err
			}
		}
		if err := roomy(archives[goVersion], c.Memory(p.Settings.Memory)); err != nil {
			return nil, err
		}
	}
	byAsked := map[string]*kernels.Kernel{}
	for _, opt := range options {
		k, err := p.ensureKernel(ctx, opt)
		if err != nil {
			return nil, err
		}
		b.Kernels = append(b.Kernels, k)
		byAsked[k.Asked] = k
	}
	for _, c := range cells {
		k := byAsked[c.Or(matrix.AxisKernel, b.Kernels[0].Asked)]
		goVersion := c.Or(matrix.AxisGo, p.Settings.Go)
		if name := images.Name(k.Asked, goVersion); b.Images[name] == nil {
			b.Images[name] = archives[goVersion].With(p.Store, k)
		}
	}
	return b, nil
}

// kernelTakes is what a guest needs for its kernel and init beside the program,
// in MiB, with some change.
const kernelTakes = 64

// roomy refuses a program that a guest's memory, in MiB, has no room for. The
// kernel unpacks the archive into half of what the archive itself has left
// (mm/shmem.c, shmem_default_max_blocks).
func roomy(archive *images.Archive, memory int) error {
	takes := int(archive.Size>>20) + 1
	if need := 3*takes + kernelTakes; need > memory {
		return usage.New(fmt.Errorf("the program and its files take %d MiB, and a guest with %d MiB of memory has room for %d", takes, memory, max(memory-kernelTakes, 0)/3),
			fmt.Sprintf("give it more: --memory %d", need))
	}
	return nil
}

// KernelsOf says how each kernel that cells ask for may be had, in the order in
// which they do. A tree of the researcher's is that of its own series.
func KernelsOf(ctx context.Context, st *store.Store, settings config.Config, cells []matrix.Cell) ([]kernels.Options, error) {
	var series []string
	for _, c := range cells {
		if v, ok := c.Axes[matrix.AxisKernel]; ok && !slices.Contains(series, v) {
			series = append(series, v)
		}
	}
	preset := KernelOptions(settings, false)
	if series == nil {
		return []kernels.Options{preset}, nil
	}
	tree := ""
	if preset.Source != "" {
		var err error
		if tree, err = kernels.SeriesOf(ctx, st, preset.Source); err != nil {
			return nil, err
		}
		if !slices.Contains(series, tree) {
			return nil, usage.New(fmt.Errorf("the sources in %s are Linux %s, which no cell asks for", preset.Source, tree), "the axis `kernel` says which are asked for")
		}
	}
	var all []kernels.Options
	for _, s := range series {
		opt := preset
		if opt.Series = s; s != tree {
			opt.Source = ""
		}
		all = append(all, opt)
	}
	return all, nil
}

// Asked returns kernels as a run records them: what was asked for, what it is, and
// which of them are the same.
func Asked(all []*kernels.Kernel) []journal.Kernel {
	var out []journal.Kernel
	for _, k := range all {
		j := journal.Kernel{Asked: k.Asked, Ran: k.Ran, StandIn: k.StandIn, Why: k.Why, Source: k.Manifest.Source}
		if k.Tree != "" {
			j.Source, j.Tree, j.TreeDigest = k.Tree, k.Tree, k.Manifest.Digest
		}
		for _, other := range all {
			if other.Asked != k.Asked && other.Manifest.Image == k.Manifest.Image {
				j.SameAs = append(j.SameAs, other.Asked)
			}
		}
		out = append(out, j)
	}
	return out
}

// WarnSame says where two kernels of a matrix are one.
func WarnSame(out *progress.Output, all []journal.Kernel) {
	for i, k := range all {
		for _, other := range k.SameAs {
			if j := slices.IndexFunc(all, func(o journal.Kernel) bool { return o.Asked == other }); i < j {
				out.Printf("kernels %s and %s are the same here: what differs between their cells is chance", k.Asked, other)
			}
		}
	}
}
