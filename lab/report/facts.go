package report

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"ghostlab/lab/journal"
	"ghostlab/lab/matrix"
	"ghostlab/lab/visible"
)

// Fact is a line of what was asked and what ran.
type Fact struct {
	What string `json:"what"`
	// Asked is empty where nobody asked for anything in particular.
	Asked string `json:"asked,omitempty"`
	Ran   string `json:"ran"`
	// Note says why the two differ, or where it came from.
	Note string `json:"note,omitempty"`
}

// facts are what a reader needs to judge a run or to repeat it, in visible text.
func (s *Summary) facts() []Fact {
	r := s.run
	results, infra := s.Results()
	all := []Fact{
		{What: "scenario", Ran: s.Scenario, Note: r.Matrix},
		{What: "trials", Asked: fmt.Sprintf("%d in %d cells", s.Planned, len(s.Cells)), Ran: fmt.Sprintf("%d with a result, %d infra", results, infra)},
	}
	for _, k := range r.Kernels {
		all = append(all, kernelFact(k))
	}
	all = append(all, []Fact{
		{What: "Go", Ran: s.valuesOf(matrix.AxisGo, s.Go), Note: "the program's toolchain"},
		{What: "QEMU", Ran: s.QEMU},
		{What: "engine", Ran: s.engines(), Note: s.checked()},
		{What: "isolation", Ran: s.isolations()},
		{What: "guest", Ran: fmt.Sprintf("%s; %s vCPUs; %s", s.valuesOf(matrix.AxisCPU, r.Guest.CPU),
			s.valuesOf(matrix.AxisVCPUs, fmt.Sprint(r.Guest.VCPUs)), s.valuesOf(matrix.AxisMemory, fmt.Sprintf("%d MiB", r.Guest.Memory)))},
		{What: "host", Ran: strings.Join(s.hosts(), "; ")},
		{What: "seed", Ran: fmt.Sprint(r.Seed)},
		{What: "time limit", Ran: fmt.Sprintf("%v of the guest's time", r.Timeout)},
		{What: "started", Ran: r.Started.UTC().Format(time.RFC3339)},
		{What: "lab", Ran: r.Lab},
	}...)
	if s.MemoryOrder != nil {
		all = append(all, Fact{What: "memory order", Ran: s.MemoryOrder.Sentence, Note: "of the parallel engine, by a test on the host"})
	}
	if !s.Hunted() {
		all = append(all, Fact{What: "state", Ran: s.state()})
	}
	for _, name := range slices.Sorted(maps.Keys(r.Images)) {
		m := r.Images[name]
		all = append(all, Fact{What: "image " + name, Ran: fmt.Sprintf("kernel %.16s, initramfs %.16s, program %.16s", m.Kernel, m.Initramfs, m.Program), Note: "SHA-256, the first 16 digits; run.json has all"})
	}
	for i, f := range all {
		all[i] = Fact{visible.Text(f.What, false), visible.Text(f.Asked, false), visible.Text(f.Ran, false), visible.Text(f.Note, false)}
	}
	return all
}

// hosts are those that trials ran on.
func (s *Summary) hosts() []string {
	var all []string
	add := func(h journal.Host) {
		text := fmt.Sprintf("%d cores, %s/%s", h.Cores, h.OS, h.Arch)
		if h.CPU != "" {
			text = h.CPU + ", " + text
		}
		if !slices.Contains(all, text) {
			all = append(all, text)
		}
	}
	add(s.run.Host)
	for _, session := range s.run.Sessions {
		add(session.Host)
	}
	return all
}

// state says how much of the matrix there is, and in how many goes it ran.
func (s *Summary) state() string {
	text := "complete"
	if s.Missing > 0 {
		text = fmt.Sprintf("%d trials missing", s.Missing)
	}
	if n := len(s.run.Stopped); n > 0 {
		text += fmt.Sprintf(", %s stopped by rule", plural(n, "cell"))
	}
	if sessions := s.run.Sessions; len(sessions) > 1 {
		if s.run.Started.After(sessions[0].Started) {
			text += fmt.Sprintf(", merged from %d sessions", len(sessions))
		} else {
			text += ", resumed " + plural(len(sessions)-1, "time")
		}
	}
	if !s.run.Shard.Whole() {
		text += ", part " + s.run.Shard.String()
	}
	return text
}

func kernelFact(k journal.Kernel) Fact {
	f := Fact{What: "kernel", Asked: k.Asked, Ran: ran(k), Note: k.Source}
	if k.StandIn {
		f.Ran += " (stand-in)"
		f.Note += "; " + k.Asked + " could not be had: " + k.Why
	}
	if len(k.SameAs) > 0 {
		f.Note += "; " + same(k)
	}
	return f
}

// kernel is what ran, and what was asked where that is not the same.
func kernel(k journal.Kernel) string {
	words := ran(k)
	if k.StandIn {
		words = fmt.Sprintf("asked %s, ran %s (stand-in)", k.Asked, words)
	}
	if len(k.SameAs) > 0 {
		words += "; " + same(k)
	}
	return words
}

// kernels are those of all cells.
func (s *Summary) kernels() string {
	var all []string
	for _, k := range s.Kernels {
		all = append(all, kernel(k))
	}
	return strings.Join(all, " · ")
}

func (s *Summary) isolations() string { return s.valuesOf(matrix.AxisIsolation, s.Isolation) }

func same(k journal.Kernel) string {
	return fmt.Sprintf("the same kernel as %s: their cells differ by chance only", strings.Join(k.SameAs, " and "))
}

// ran is the release as the guest said it, or else the series.
func ran(k journal.Kernel) string {
	if k.Release != "" {
		return k.Release
	}
	return k.Ran
}

// platform is what ran the guests.
func (s *Summary) platform() string {
	return fmt.Sprintf("%s, %s engine, isolation %s", s.QEMU, s.engines(), s.isolations())
}

func (s *Summary) engines() string {
	e := s.valuesOf(matrix.AxisEngine, s.Engine)
	if s.Accelerator != "" && s.Accelerator != "tcg" {
		e = strings.Replace(e, matrix.Parallel, matrix.Parallel+" ("+s.Accelerator+")", 1)
	}
	return e
}

// checked says whether deterministic trials repeated; empty where nobody looked.
func (s *Summary) checked() string {
	if s.Verification == nil {
		return ""
	}
	text := fmt.Sprintf("%d deterministic trials were run again: identical %d/%d",
		s.Verification.Checked, s.Verification.Identical, s.Verification.Checked)
	if n := s.Verification.Unchecked; n > 0 {
		text += fmt.Sprintf("; the guests of %d more could not be run again", n)
	}
	return text
}

// valuesOf are those of an axis, or the one that holds without it.
func (s *Summary) valuesOf(axis, preset string) string {
	for _, a := range s.run.Axes {
		if a.Name == axis {
			return strings.Join(a.Values, ", ")
		}
	}
	return preset
}

// limits are what a run's platform cannot show: "not reproduced" by a machine
// that could not have shown it is no evidence.
func limits(run *journal.Run) []string {
	engines := map[string]bool{}
	for _, c := range run.Cells {
		e := run.Engine
		if v, ok := c.Axes[matrix.AxisEngine]; ok {
			e = v
		}
		engines[e] = true
	}
	var out []string
	if engines[matrix.Deterministic] {
		out = append(out, "The deterministic engine runs vCPUs in turn, one at a time: a bug that needs one processor to see another's memory writes out of order cannot show in it.")
	}
	if a := run.Guest.Accelerator; engines[matrix.Parallel] && a == "tcg" {
		if run.Host.Arch == "amd64" || run.Host.Arch == "386" || run.Host.Arch == "s390x" {
			out = append(out, "QEMU's translator on an "+run.Host.Arch+" host keeps that host's strong memory order: a bug that needs ARM64's weaker one cannot show here, and its absence is no evidence.")
		}
		out = append(out, "An emulator has no caches and takes interrupts between blocks of code only: times and rates are not those of hardware.")
	}
	return out
}
