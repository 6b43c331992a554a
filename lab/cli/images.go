package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"ghostlab/images"
	"ghostlab/kernels"
	"ghostlab/lab/journal"
	"ghostlab/lab/matrix"
	"ghostlab/lab/progress"
	"ghostlab/lab/qemu"
	"ghostlab/lab/store"
	"ghostlab/lab/suggest"
	"ghostlab/lab/usage"
)

// bootable is what the cells of a matrix boot.
type bootable struct {
	kernels []*kernels.Kernel
	images  map[string]*images.Image // by images.Name
}

// bootables makes the kernels and images that cells need, or takes them from the
// store.
func (a *app) bootables(ctx context.Context, st *store.Store, out *progress.Output, m *matrix.Matrix, cells []matrix.Cell) (*bootable, error) {
	b := &bootable{images: map[string]*images.Image{}}
	options, err := a.kernelsOf(ctx, st, cells)
	if err != nil {
		return nil, err
	}
	// What does not compile is said before a kernel is built.
	archives := map[string]*images.Archive{}
	for _, c := range cells {
		goVersion := c.Or(matrix.AxisGo, a.cfg.Go)
		if archives[goVersion] == nil {
			if archives[goVersion], err = images.Compile(ctx, st, m.Scenario.Program(), goVersion); err != nil {
				return nil, err
			}
		}
		if err := roomy(archives[goVersion], c.Memory(a.cfg.Memory)); err != nil {
			return nil, err
		}
	}
	byAsked := map[string]*kernels.Kernel{}
	for _, opt := range options {
		k, err := a.ensureKernel(ctx, st, out, opt)
		if err != nil {
			return nil, err
		}
		b.kernels = append(b.kernels, k)
		byAsked[k.Asked] = k
	}
	for _, c := range cells {
		k := byAsked[c.Or(matrix.AxisKernel, b.kernels[0].Asked)]
		goVersion := c.Or(matrix.AxisGo, a.cfg.Go)
		if name := images.Name(k.Asked, goVersion); b.images[name] == nil {
			b.images[name] = archives[goVersion].With(st, k)
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

// kernelsOf says how each kernel that cells ask for may be had, in the order in
// which they do. A tree of the researcher's is that of its own series.
func (a *app) kernelsOf(ctx context.Context, st *store.Store, cells []matrix.Cell) ([]kernels.Options, error) {
	var series []string
	for _, c := range cells {
		if v, ok := c.Axes[matrix.AxisKernel]; ok && !slices.Contains(series, v) {
			series = append(series, v)
		}
	}
	preset := a.kernelOptions(false)
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

// reuseTree takes the tree that a run's kernel was built from, unless settings
// name one. It is a *treeError where that tree has changed.
func (a *app) reuseTree(ctx context.Context, run *journal.Run, k journal.Kernel) error {
	if k.Tree == "" || a.cfg.KernelSource != "" {
		return nil
	}
	if !a.mayFollow(run) {
		return &untrustedError{run, "its kernel would have to be built from " + k.Tree + ", which it names"}
	}
	st, err := store.Open(a.cfg.Cache)
	if err != nil {
		return err
	}
	is, err := kernels.Digest(ctx, st, k.Tree)
	if err != nil {
		return err
	}
	if is != k.TreeDigest {
		return &treeError{path: k.Tree, was: k.TreeDigest, is: is}
	}
	a.cfg.KernelSource = k.Tree
	return nil
}

// treeError says that the kernel source of a run is not what it was.
type treeError struct{ path, was, is string }

func (e *treeError) Error() string {
	return fmt.Sprintf("the kernel source %s has changed since the run: %.12s -> %.12s", e.path, e.was, e.is)
}

// BadInput marks what the user can mend, see usage.IsBadInput.
func (*treeError) BadInput() {}

// Hint says what to do about it.
func (e *treeError) Hint() string {
	return "make it as it was, name where it still is so with --kernel-source, or start a new run"
}

// ensureKernel returns a kernel and says where it is a stand-in.
func (a *app) ensureKernel(ctx context.Context, st *store.Store, out *progress.Output, opt kernels.Options) (*kernels.Kernel, error) {
	k, err := kernels.Ensure(ctx, st, opt, out)
	if err != nil {
		return nil, err
	}
	if k.StandIn {
		out.Printf("kernel %s cannot be had (`lab doctor` says why), %s stands in", k.Asked, k.Manifest.Version)
	}
	return k, nil
}

// asked are kernels as a run records them: what was asked for, what it is, and
// which of them are the same.
func asked(all []*kernels.Kernel) []journal.Kernel {
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

// warnSame says that two kernels of a matrix are one.
func warnSame(out *progress.Output, all []journal.Kernel) {
	for i, k := range all {
		for _, other := range k.SameAs {
			if j := slices.IndexFunc(all, func(o journal.Kernel) bool { return o.Asked == other }); i < j {
				out.Printf("kernels %s and %s are the same here: what differs between their cells is chance", k.Asked, other)
			}
		}
	}
}

// checkModels refuses CPU models that no guest can have, and those that the
// host's own processor takes the place of.
func (a *app) checkModels(ctx context.Context, m *matrix.Matrix, cells []matrix.Cell, accelerator string) error {
	var checked []string
	for _, c := range cells {
		model, ok := c.Axes[matrix.AxisCPU]
		if !ok {
			continue
		}
		if accelerator != "tcg" && m.EngineOf(c) == matrix.Parallel {
			return usage.New(fmt.Errorf("axis %q: the parallel engine runs on this host's own processor (%s), whatever the model", matrix.AxisCPU, accelerator),
				"the deterministic engine emulates models: `--engine deterministic`")
		}
		if slices.Contains(checked, model) {
			continue
		}
		if err := a.checkModel(ctx, model); err != nil {
			return err
		}
		checked = append(checked, model)
	}
	return nil
}

func (a *app) checkModel(ctx context.Context, model string) error {
	known, err := qemu.Models(ctx, a.cfg.QEMU)
	if err != nil {
		return err
	}
	if name, _, _ := strings.Cut(model, ","); !slices.Contains(known, name) {
		return usage.New(fmt.Errorf("axis %q: this QEMU has no model %q", matrix.AxisCPU, name), suggest.Advice(name, known))
	}
	if err := qemu.CheckModel(ctx, a.cfg.QEMU, model); err != nil {
		return usage.New(fmt.Errorf("axis %q: no guest can have the model %q: %w", matrix.AxisCPU, model, err), "cortex-a53, cortex-a57, cortex-a72 and max are known to work")
	}
	return nil
}
