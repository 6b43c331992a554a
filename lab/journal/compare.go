package journal

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"ghostlab/images"
	"ghostlab/lab/matrix"
)

// Change is in what two runs differ.
type Change struct{ What, Was, Is string }

func (c Change) String() string { return fmt.Sprintf("%s: %s -> %s", c.What, c.Was, c.Is) }

// Compare returns in what two runs differ, as far as it decides what their
// trials are: nothing says that the trials of one may count as the other's.
func Compare(was, is *Run) []Change {
	c := comparison{}
	c.plan(was, is)
	if len(c) > 0 {
		return c // what the trials execute follows from that
	}
	for i, cell := range was.Cells {
		if i < len(was.Commands) && i < len(is.Commands) {
			c.add("command of "+cell.Label(was.Axes), text(was.Commands[i]), text(is.Commands[i]))
		}
	}
	c.add("toolchain", was.Go, is.Go)
	c.add("kernel", kernelNames(was), kernelNames(is))
	c.images(was.Images, is.Images)
	c.add("QEMU", was.QEMU, is.QEMU)
	c.add("CPU model", was.Guest.CPU, is.Guest.CPU)
	c.add("vCPUs", was.Guest.VCPUs, is.Guest.VCPUs)
	c.add("memory in MiB", was.Guest.Memory, is.Guest.Memory)
	c.add("accelerator", was.Guest.Accelerator, is.Guest.Accelerator)
	c.add("memory order", was.fence(), is.fence())
	c.add("the host's architecture", was.Host.Arch, is.Host.Arch)
	return c
}

// ComparePlans is Compare for what a matrix alone says.
func ComparePlans(was, is *Run) []Change {
	c := comparison{}
	c.plan(was, is)
	return c
}

type comparison []Change

func (c *comparison) add(what string, was, is any) {
	if a, b := fmt.Sprint(was), fmt.Sprint(is); a != b {
		*c = append(*c, Change{what, a, b})
	}
}

func (c *comparison) plan(was, is *Run) {
	c.add("scenario", was.Scenario, is.Scenario)
	c.add("program", text(was.Own), text(is.Own))
	c.add("trials", was.Trials, is.Trials)
	c.add("timeout", was.Timeout, is.Timeout)
	c.add("seed", was.Seed, is.Seed)
	c.add("engine", was.Engine, is.Engine)
	c.add("shift", was.Shift, is.Shift)
	c.add("isolation", was.Isolation, is.Isolation)
	c.add("search", text(was.Search), text(is.Search))
	c.axes(was.Axes, is.Axes)
	if before, now := text(was.Cells), text(is.Cells); before != now && len(*c) == 0 {
		c.add("cells", labels(was), labels(is))
	}
	c.add("expect", text(was.Expect), text(is.Expect))
	c.add("stop", text(was.Stop), text(is.Stop))
	c.add("collect", text(was.Collect), text(is.Collect))
}

func (c *comparison) axes(was, is []matrix.Axis) {
	values := func(axes []matrix.Axis) map[string]string {
		m := map[string]string{}
		for _, a := range axes {
			m[a.Name] = strings.Join(a.Values, ", ")
		}
		return m
	}
	before, now := values(was), values(is)
	for _, name := range names(before, now) {
		c.add("axis "+name, or(before[name], "none"), or(now[name], "none"))
	}
}

func (c *comparison) images(was, is map[string]images.Manifest) {
	for _, name := range names(was, is) {
		a, b := was[name], is[name]
		c.add("kernel of "+name, short(a.Kernel), short(b.Kernel))
		c.add("program of "+name, short(a.Program), short(b.Program))
		c.add("init of "+name+", which is part of lab", short(a.Init), short(b.Init))
		if a.Kernel == b.Kernel && a.Program == b.Program && a.Init == b.Init {
			c.add("initramfs of "+name, short(a.Initramfs), short(b.Initramfs))
		}
	}
}

// names are the keys of both maps, sorted.
func names[V any](a, b map[string]V) []string {
	all := slices.AppendSeq(slices.Collect(maps.Keys(a)), maps.Keys(b))
	slices.Sort(all)
	return slices.Compact(all)
}

func short(digest string) string { return or(fmt.Sprintf("%.12s", digest), "none") }

func or(text, empty string) string {
	if text == "" {
		return empty
	}
	return text
}

// text is a value as run.json has it.
func text(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(b)
}

func labels(r *Run) string {
	var all []string
	for _, c := range r.Cells {
		all = append(all, c.Label(r.Axes))
	}
	return strings.Join(all, "; ")
}

func kernelNames(r *Run) string {
	var all []string
	for _, k := range r.Kernels {
		all = append(all, fmt.Sprintf("%s (asked %s)", k.Ran, k.Asked))
	}
	return strings.Join(all, ", ")
}

// ChangedError says that runs whose trials are to be counted together differ.
type ChangedError struct {
	// What is to be done with the run, Remedy what would make it possible.
	What    string
	Changes []Change
	Remedy  string
}

func (e *ChangedError) Error() string {
	var b strings.Builder
	b.WriteString(e.What)
	for _, c := range e.Changes {
		fmt.Fprintf(&b, "\n  %s", c)
	}
	return b.String()
}

// BadInput marks what the user can mend, see usage.IsBadInput.
func (*ChangedError) BadInput() {}

// Hint says what to do about it.
func (e *ChangedError) Hint() string { return e.Remedy }
