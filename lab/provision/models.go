package provision

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"ghostlab/lab/matrix"
	"ghostlab/lab/qemu"
	"ghostlab/lab/suggest"
	"ghostlab/lab/usage"
)

// CheckModels refuses CPU models that no guest of that emulator can have, and those that
// the host's own processor takes the place of.
func CheckModels(ctx context.Context, emulator string, m *matrix.Matrix, cells []matrix.Cell, accelerator string) error {
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
		if err := checkModel(ctx, emulator, model); err != nil {
			return err
		}
		checked = append(checked, model)
	}
	return nil
}

func checkModel(ctx context.Context, emulator, model string) error {
	known, err := qemu.Models(ctx, emulator)
	if err != nil {
		return err
	}
	if name, _, _ := strings.Cut(model, ","); !slices.Contains(known, name) {
		return usage.New(fmt.Errorf("axis %q: this QEMU has no model %q", matrix.AxisCPU, name), suggest.Advice(name, known))
	}
	if err := qemu.CheckModel(ctx, emulator, model); err != nil {
		return usage.New(fmt.Errorf("axis %q: no guest can have the model %q: %w", matrix.AxisCPU, model, err), "cortex-a53, cortex-a57, cortex-a72 and max are known to work")
	}
	return nil
}
