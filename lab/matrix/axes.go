package matrix

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"ghostlab/kernels"
	"ghostlab/lab/toolchain"
	"ghostlab/scenarios"
)

// Axes of the lab itself, beside the scenario's parameters. Environment
// variables of the program are axes too: env.NAME.
const (
	AxisGo        = "go"     // the program's toolchain, such as 1.21.6
	AxisKernel    = "kernel" // a series, such as 5.15
	AxisVCPUs     = "vcpus"  // of the guest
	AxisCPU       = "cpu"    // QEMU's name of the model
	AxisMemory    = "memory" // of the guest: 512M, 1G
	AxisEngine    = "engine" // Parallel or Deterministic
	AxisShift     = "shift"  // of the deterministic engine
	AxisIsolation = "isolation"
	EnvPrefix     = "env."
)

// Limits of a guest. QEMU's virt board has an interrupt controller for 8 vCPUs
// (GICv2) and, below 4 GiB, room for 3 GiB of memory (hw/arm/virt.c); the kernel
// and a Go program do not fit into less than 128 MiB.
const (
	MaxVCPUs  = 8
	MinMemory = 128  // MiB
	MaxMemory = 3072 // MiB
)

// labAxes are the lab's own.
var labAxes = []struct {
	name, about string
	kind        kind
}{
	{AxisGo, "Go release that compiles the program, such as 1.21.6", special{
		toolchain.CheckVersion, map[string]any{"type": []any{"string", "number"}, "pattern": toolchain.VersionPattern},
	}},
	{AxisKernel, "kernel series that the guest boots", scenarios.Choice(kernels.Known()...)},
	{AxisVCPUs, "number of vCPUs of the guest", scenarios.Int(1, MaxVCPUs)},
	{AxisCPU, "QEMU's name of the CPU model, such as cortex-a72", special{
		checkCPU, map[string]any{"type": "string", "pattern": cpuPattern.String()},
	}},
	{AxisMemory, "memory of the guest, such as 512M or 1G", special{
		func(v string) error { _, err := ParseMemory(v); return err },
		map[string]any{"type": []any{"string", "integer"}, "pattern": memoryPattern.String(), "minimum": MinMemory, "maximum": MaxMemory},
	}},
	{AxisEngine, "parallel: vCPUs race; deterministic: a trial is a function of image and seed", scenarios.Choice(Parallel, Deterministic)},
	{AxisShift, "an instruction of the deterministic engine takes 2^shift ns", scenarios.Int(0, MaxShift)},
	{AxisIsolation, "fork: each trial has a clone of a booted guest; process: many share one; boot: each boots its own", scenarios.Choice(Fork, Process, Boot)},
}

// CheckAxis says what is wrong with a value of one of the lab's own axes. It is nil for
// environment variables and a scenario's parameters, which only the guest sees.
func CheckAxis(name, value string) error {
	for _, a := range labAxes {
		if a.name == name {
			return a.kind.Check(value)
		}
	}
	return nil
}

// special is a kind that scenarios have no word for.
type special struct {
	check  func(string) error
	schema map[string]any
}

func (s special) Check(text string) error { return s.check(text) }

func (s special) Schema() map[string]any {
	own := map[string]any{}
	for k, v := range s.schema {
		own[k] = v
	}
	return own
}

var cpuPattern = regexp.MustCompile(`^[a-z0-9][a-z0-9-]*(,[a-z0-9-]+=[a-z0-9-]+)*$`)

func checkCPU(v string) error {
	if !cpuPattern.MatchString(v) {
		return fmt.Errorf("want a CPU model of QEMU's such as cortex-a72, got %q", v)
	}
	return nil
}

var memoryPattern = regexp.MustCompile(`^([0-9]{1,4})([MG]?)$`)

// ParseMemory reads a guest's memory, such as 512M, 1G, or a number of MiB.
func ParseMemory(v string) (mib int, err error) {
	if m := memoryPattern.FindStringSubmatch(v); m != nil {
		mib, _ = strconv.Atoi(m[1])
		if m[2] == "G" {
			mib *= 1024
		}
	}
	if mib < MinMemory || mib > MaxMemory {
		return 0, fmt.Errorf("want %dM to %dM, got %q", MinMemory, MaxMemory, v)
	}
	return mib, nil
}

var anyName = regexp.MustCompile(`^`)

var envName = regexp.MustCompile(`^env\.[A-Za-z_][A-Za-z0-9_]*$`)

// axisFields are the fields of a map from axes: each that cells of the scenario
// can have, with the form that turn makes of its values'. Without a scenario
// they are the lab's own and any other.
func axisFields(s *scenarios.Scenario, turn func(*form) *form) []field {
	var fields []field
	add := func(name, about string, k kind, names *regexp.Regexp, of string) {
		value := &form{kind: k, def: of + name}
		turned := turn(value)
		if turned != value {
			turned.def = value.def + " values"
		}
		fields = append(fields, field{name: name, about: about, names: names, form: turned})
	}
	if s != nil {
		for _, name := range s.ParamNames() {
			p := s.Params[name]
			add(name, p.About, p, nil, s.Name+" ")
		}
	}
	for _, a := range labAxes {
		add(a.name, a.about, a.kind, nil, "axis ")
	}
	add(EnvPrefix+"NAME", "environment variable of the program", text, envName, "axis ")
	if s == nil {
		add("PARAMETER", "parameter of the scenario", text, anyName, "axis ")
	}
	return fields
}

// ambiguous says whether the scenario has a parameter with a name of the lab's.
func ambiguous(s *scenarios.Scenario) error {
	for _, a := range labAxes {
		if _, taken := s.Params[a.name]; taken {
			return &scenarios.PlaceError{
				File: filepath.Join(s.Dir, "scenario.yaml"), Err: fmt.Errorf("parameter %q: the lab has an axis of that name", a.name),
				Advice: "give the parameter another name",
			}
		}
	}
	for _, name := range s.ParamNames() {
		if strings.HasPrefix(name, EnvPrefix) {
			return &scenarios.PlaceError{
				File: filepath.Join(s.Dir, "scenario.yaml"), Err: fmt.Errorf("parameter %q: names that begin with %s are environment variables", name, EnvPrefix),
				Advice: "give the parameter another name",
			}
		}
	}
	return nil
}
