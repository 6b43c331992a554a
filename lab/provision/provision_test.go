package provision

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"ghostlab/kernels"
	"ghostlab/lab/config"
	"ghostlab/lab/journal"
	"ghostlab/lab/matrix"
	"ghostlab/lab/progress"
	"ghostlab/lab/store"
)

func cellsOf(axis string, values ...string) []matrix.Cell {
	var cells []matrix.Cell
	for i, v := range values {
		cells = append(cells, matrix.Cell{Index: i, Axes: map[string]string{axis: v}})
	}
	return cells
}

// Two series of which one stands in for the other are one kernel, and a run that
// compares them says so.
func TestKernelsThatAreTheSame(t *testing.T) {
	built := func(asked, ran, image string) *kernels.Kernel {
		k := &kernels.Kernel{Asked: asked, Ran: ran, StandIn: asked != ran}
		k.Manifest.Image = image
		return k
	}
	all := Asked([]*kernels.Kernel{built("5.15", "6.1", "a"), built("6.1", "6.1", "a"), built("6.12", "6.12", "b")})
	for i, want := range [][]string{{"6.1"}, {"5.15"}, nil} {
		if !slices.Equal(all[i].SameAs, want) {
			t.Errorf("%s is the same as %q, want %q", all[i].Asked, all[i].SameAs, want)
		}
	}
	var said bytes.Buffer
	WarnSame(progress.New(&said), all)
	if got := said.String(); strings.Count(got, "\n") != 1 || !strings.Contains(got, "kernels 5.15 and 6.1 are the same here") {
		t.Errorf("said %q", got)
	}
}

// A tree of the researcher's serves the cells of its own series only.
func TestTreeServesItsOwnSeries(t *testing.T) {
	tree := t.TempDir()
	text := "VERSION = 6\nPATCHLEVEL = 12\nSUBLEVEL = 3\nEXTRAVERSION =\n"
	for name, content := range map[string]string{"Makefile": text, "Kbuild": "", "Kconfig": ""} {
		if err := os.WriteFile(filepath.Join(tree, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	st, err := store.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	settings := config.Config{KernelSource: tree}
	options, err := KernelsOf(t.Context(), st, settings, cellsOf(matrix.AxisKernel, "5.15", "6.12", "5.15"))
	if err != nil {
		t.Fatal(err)
	}
	if len(options) != 2 || options[0].Series != "5.15" || options[0].Source != "" || options[1].Series != "6.12" || options[1].Source != tree {
		t.Errorf("%+v", options)
	}
	_, err = KernelsOf(t.Context(), st, settings, cellsOf(matrix.AxisKernel, "5.15", "6.1"))
	if err == nil || !strings.Contains(err.Error(), "Linux 6.12, which no cell asks for") {
		t.Errorf("a tree that no cell asks for: %v", err)
	}
}

// hint is what an error says to do about it.
func hint(err error) string {
	var h interface{ Hint() string }
	if errors.As(err, &h) {
		return h.Hint()
	}
	return ""
}

func TestModelsAreChecked(t *testing.T) {
	const emulator = "qemu-system-aarch64"
	m := &matrix.Matrix{Engine: matrix.Parallel}
	if err := CheckModels(t.Context(), emulator, m, cellsOf(matrix.AxisCPU, "cortex-a72", "max,pauth=off"), "tcg"); err != nil {
		t.Error(err)
	}
	err := CheckModels(t.Context(), emulator, m, cellsOf(matrix.AxisCPU, "cortex-a27"), "tcg")
	if err == nil || err.Error() != `axis "cpu": this QEMU has no model "cortex-a27"` || !strings.HasPrefix(hint(err), "did you mean") {
		t.Errorf("an unknown model: %v, hint %q", err, hint(err))
	}
	err = CheckModels(t.Context(), emulator, m, cellsOf(matrix.AxisCPU, "cortex-a15"), "tcg")
	if err == nil || !strings.Contains(err.Error(), "it is a 32-bit processor") {
		t.Errorf("a 32-bit model: %v", err)
	}
	if err := CheckModels(t.Context(), emulator, m, cellsOf(matrix.AxisCPU, "cortex-a72"), "kvm"); err == nil {
		t.Error("a model beside KVM is not refused")
	}
}

// A run that goes on takes the tree that it began with, as long as that is the
// same.
func TestRunRemembersItsTree(t *testing.T) {
	tree := t.TempDir()
	change := func(text string) {
		if err := os.WriteFile(filepath.Join(tree, "Makefile"), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	st, err := store.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	change("VERSION = 6\nPATCHLEVEL = 6\n")
	k := &kernels.Kernel{Asked: "6.6", Ran: "6.6", Tree: tree}
	if k.Manifest.Digest, err = kernels.Digest(t.Context(), st, tree); err != nil {
		t.Fatal(err)
	}
	recorded := Asked([]*kernels.Kernel{k})[0]
	run := &journal.Run{ID: "r"}
	provider := func(named string, trust bool) Provider {
		return Provider{Settings: config.Config{KernelSource: named}, Store: st, Trust: trust}
	}
	for named, want := range map[string]string{"": tree, "/another": "/another"} {
		if p, err := provider(named, true).WithTree(t.Context(), run, recorded); err != nil || p.Settings.KernelSource != want {
			t.Errorf("with %q named: %q, %v", named, p.Settings.KernelSource, err)
		}
	}
	refused := func(what string, trust bool, want string) {
		t.Helper()
		if _, err := provider("", trust).WithTree(t.Context(), run, recorded); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", what, err)
		}
	}
	change("VERSION = 6\nPATCHLEVEL = 6\nSUBLEVEL = 9\n")
	refused("a tree that a run from elsewhere names", false, "was not made by a lab of yours")
	refused("a changed tree", true, tree+" has changed since the run")
	if err := os.RemoveAll(tree); err != nil {
		t.Fatal(err)
	}
	refused("no tree", true, "kernel source "+tree+": no such file")
}
