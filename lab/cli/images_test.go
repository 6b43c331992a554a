package cli

import (
	"bytes"
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
	all := asked([]*kernels.Kernel{built("5.15", "6.1", "a"), built("6.1", "6.1", "a"), built("6.12", "6.12", "b")})
	for i, want := range [][]string{{"6.1"}, {"5.15"}, nil} {
		if !slices.Equal(all[i].SameAs, want) {
			t.Errorf("%s is the same as %q, want %q", all[i].Asked, all[i].SameAs, want)
		}
	}
	var said bytes.Buffer
	warnSame(progress.New(&said), all)
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
	a := &app{cfg: &config.Config{KernelSource: tree}}
	options, err := a.kernelsOf(t.Context(), st, cellsOf(matrix.AxisKernel, "5.15", "6.12", "5.15"))
	if err != nil {
		t.Fatal(err)
	}
	if len(options) != 2 || options[0].Series != "5.15" || options[0].Source != "" || options[1].Series != "6.12" || options[1].Source != tree {
		t.Errorf("%+v", options)
	}
	_, err = a.kernelsOf(t.Context(), st, cellsOf(matrix.AxisKernel, "5.15", "6.1"))
	if err == nil || !strings.Contains(err.Error(), "Linux 6.12, which no cell asks for") {
		t.Errorf("a tree that no cell asks for: %v", err)
	}
}

func TestModelsAreChecked(t *testing.T) {
	a := &app{cfg: &config.Config{QEMU: "qemu-system-aarch64"}}
	m := &matrix.Matrix{Engine: matrix.Parallel}
	if err := a.checkModels(t.Context(), m, cellsOf(matrix.AxisCPU, "cortex-a72", "max,pauth=off"), "tcg"); err != nil {
		t.Error(err)
	}
	err := a.checkModels(t.Context(), m, cellsOf(matrix.AxisCPU, "cortex-a27"), "tcg")
	if err == nil || err.Error() != `axis "cpu": this QEMU has no model "cortex-a27"` || !strings.HasPrefix(hintOf(err), "did you mean") {
		t.Errorf("an unknown model: %v, hint %q", err, hintOf(err))
	}
	err = a.checkModels(t.Context(), m, cellsOf(matrix.AxisCPU, "cortex-a15"), "tcg")
	if err == nil || !strings.Contains(err.Error(), "it is a 32-bit processor") {
		t.Errorf("a 32-bit model: %v", err)
	}
	if err := a.checkModels(t.Context(), m, cellsOf(matrix.AxisCPU, "cortex-a72"), "kvm"); err == nil {
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
	recorded := asked([]*kernels.Kernel{k})[0]
	run := &journal.Run{ID: "r"}
	for named, want := range map[string]string{"": tree, "/another": "/another"} {
		a := &app{cfg: &config.Config{Cache: st.Dir(), KernelSource: named}, trust: true}
		if err := a.reuseTree(t.Context(), run, recorded); err != nil || a.cfg.KernelSource != want {
			t.Errorf("with %q named: %q, %v", named, a.cfg.KernelSource, err)
		}
	}
	change("VERSION = 6\nPATCHLEVEL = 6\nSUBLEVEL = 9\n")
	a := &app{cfg: &config.Config{Cache: st.Dir()}}
	if err := a.reuseTree(t.Context(), run, recorded); err == nil || !strings.Contains(err.Error(), "was not made by a lab of yours") {
		t.Errorf("a tree that a run from elsewhere names: %v", err)
	}
	a.trust = true
	if err := a.reuseTree(t.Context(), run, recorded); err == nil || !strings.Contains(err.Error(), tree+" has changed since the run") {
		t.Errorf("a changed tree: %v", err)
	}
	if err := os.RemoveAll(tree); err != nil {
		t.Fatal(err)
	}
	if err := a.reuseTree(t.Context(), run, recorded); err == nil || !strings.Contains(err.Error(), "kernel source "+tree+": no such file") {
		t.Errorf("no tree: %v", err)
	}
}
