package main

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// layers are the packages of lab/README.md, the highest first. A package may import
// those of lower layers only.
var layers = [][]string{
	{"lab"},
	{"lab/cli"},
	{"lab/experiment", "lab/rerun", "lab/session"},
	{"lab/provision", "lab/doctor"},
	{"lab/order", "lab/config"},
	{"lab/runner", "lab/report", "lab/live"},
	{"lab/journal"},
	{"lab/hunt"},
	{"lab/vm"},
	{"lab/matrix"},
	{"lab/crash", "lab/qemu", "lab/toolchain"},
	{"lab/store", "lab/progress", "lab/stat", "lab/host", "lab/terminal"},
	{"lab/child"},
	{"lab/suggest", "lab/usage", "lab/visible"},
}

// beside are packages that no other imports: benchmarks, what tests share, and a program
// for the guest.
var beside = []string{"lab/bench", "lab/labtest", "lab/order/litmus"}

// never are imports that would turn a package into another: of any package below the
// second name.
var never = map[string][]string{
	"scenarios":      {"lab/matrix", "lab/config", "kernels", "images", "gdb", "initramfs"},
	"initramfs/wire": {"lab", "scenarios", "kernels", "images", "gdb"},
	"lab/suggest":    {"lab", "scenarios", "kernels", "images", "gdb", "initramfs"},
	"lab/usage":      {"lab", "scenarios", "kernels", "images", "gdb", "initramfs"},
	"lab/visible":    {"lab", "scenarios", "kernels", "images", "gdb", "initramfs"},
	"lab/stat":       {"lab", "scenarios", "kernels", "images", "gdb", "initramfs"},
	"lab/matrix":     {"lab/vm", "lab/qemu", "lab/runner", "lab/journal", "gdb"},
	"lab/report":     {"lab/vm", "lab/runner", "lab/provision"},
	"lab/vm":         {"lab/journal", "lab/matrix", "lab/runner", "images", "kernels"},
}

const module = "ghostlab/"

// imports are the module's packages that each of its packages imports.
func imports(t *testing.T) map[string][]string {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Imports", module+"...")
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	all := map[string][]string{}
	for dec := json.NewDecoder(out); ; {
		var p struct {
			ImportPath string
			Imports    []string
		}
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		for _, i := range p.Imports {
			if own, ok := strings.CutPrefix(i, module); ok {
				name := strings.TrimPrefix(p.ImportPath, module)
				all[name] = append(all[name], own)
			}
		}
		if name := strings.TrimPrefix(p.ImportPath, module); all[name] == nil {
			all[name] = []string{}
		}
	}
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	return all
}

func TestImportsPointDownwards(t *testing.T) {
	all := imports(t)
	layer := map[string]int{}
	for i, names := range layers {
		for _, name := range names {
			layer[name] = i
			if all[name] == nil {
				t.Errorf("%s is a layer and no package", name)
			}
		}
	}
	for name, imported := range all {
		from, ok := layer[name]
		if !ok {
			if strings.HasPrefix(name, "lab/") && !slices.Contains(beside, name) {
				t.Errorf("%s is in no layer: say in lab/README.md what it owns", name)
			}
			continue
		}
		for _, i := range imported {
			if to, ok := layer[i]; ok && to <= from {
				t.Errorf("%s imports %s, which is not below it", name, i)
			}
		}
	}
	if len(all) < 40 {
		t.Errorf("only %d packages were found", len(all))
	}
}

func TestPackagesStayWhatTheyAre(t *testing.T) {
	all := imports(t)
	var reach func(name string, seen map[string]bool)
	reach = func(name string, seen map[string]bool) {
		for _, i := range all[name] {
			if !seen[i] {
				seen[i] = true
				reach(i, seen)
			}
		}
	}
	for name, banned := range never {
		seen := map[string]bool{}
		reach(name, seen)
		for i := range seen {
			if slices.ContainsFunc(banned, func(b string) bool { return i == b || strings.HasPrefix(i, b+"/") }) && i != name && !leaf(i) {
				t.Errorf("%s reaches %s", name, i)
			}
		}
	}
}

// leaf says whether a package is one that any may import.
func leaf(name string) bool { return slices.Contains(layers[len(layers)-1], name) }
