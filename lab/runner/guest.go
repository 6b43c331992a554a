package runner

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"ghostlab/images"
	"ghostlab/initramfs/wire"
	"ghostlab/lab/journal"
	"ghostlab/lab/matrix"
	"ghostlab/lab/vm"
	"ghostlab/scenarios"
)

// guestKind is what trials must have in common to share a guest or a template.
type guestKind struct {
	kernel    string // the series asked for
	goVersion string
	cpu       string
	memory    int // MiB
	vcpus     int
	engine    vm.Engine
	isolation string
	// forked says that guests are clones of a template; else they boot.
	forked bool
}

// single says whether each trial has a guest of its own.
func (k guestKind) single() bool { return k.isolation != matrix.Process }

// forkExact is the number of vCPUs up to which deterministic guests are forked.
// QEMU lets a clone go from its main loop, which may then still be awake when a
// timer of the guest's is due, and with several vCPUs that can decide which of
// them runs next. A template is therefore stopped while all vCPUs but one are
// idle. Measured on a host with three times as many busy threads as cores: 450
// of 450 clones with 4 vCPUs were identical, 200 of 200 with 2. A boot begins with
// one vCPU, and its main loop is asleep long before the others come up.
const forkExact = 4

func (r *run) kind(t *trial) guestKind {
	c := r.Cells[t.cell]
	k := guestKind{
		kernel: c.Or(matrix.AxisKernel, r.Kernel), goVersion: c.Or(matrix.AxisGo, r.Go),
		cpu: c.Or(matrix.AxisCPU, r.Machine.CPU), memory: c.Memory(r.Machine.Memory),
		vcpus: t.schedule.VCPUs, isolation: r.Matrix.IsolationOf(c),
	}
	k.engine = r.Machine.Engine
	if t.schedule.Deterministic() {
		k.engine = vm.Engine{Deterministic: true, Shift: t.schedule.Shift, SingleStep: t.schedule.SingleStep}
		if k.isolation == matrix.Fork && k.vcpus > forkExact {
			k.isolation = matrix.Boot
		}
	}
	k.forked = k.isolation != matrix.Boot && (!k.engine.Deterministic || k.vcpus <= forkExact)
	return k
}

// explain says where a choice of the lab's differs from what was asked.
func (r *run) explain(k guestKind, c matrix.Cell) {
	if k.isolation != r.Matrix.IsolationOf(c) {
		r.notice(fmt.Sprintf("deterministic guests with %d vCPUs are booted, not forked: beyond %d a fork may differ from another", k.vcpus, forkExact))
	}
}

// config is the guest of a kind, without what differs between its trials.
func (r *run) config(k guestKind) vm.Config {
	cfg := r.Machine
	img := r.Image[images.Name(k.kernel, k.goVersion)]
	cfg.Kernel, cfg.Initramfs, cfg.Vmlinux = img.Kernel.Image(), img.Initramfs, img.Kernel.Vmlinux()
	cfg.About.Program, cfg.About.Go = img.Program, k.goVersion
	cfg.CPU, cfg.VCPUs, cfg.Memory, cfg.Engine = k.cpu, k.vcpus, k.memory, k.engine
	cfg.Silence = silence(r.limit(), k.engine)
	cfg.Notice = func(text string) { r.notice("a guest that boots for others: " + text) }
	return cfg
}

// singleStepCost is by how much a guest is slower whose translation blocks are of
// one instruction (four times, measured).
const singleStepCost = 4

// silence is how long a guest may say nothing, on the host's clock: more than the
// trials' limit in the guest's takes here. A fast virtual CPU, of a shift below
// the default, has more instructions in that time.
func silence(limit time.Duration, e vm.Engine) time.Duration {
	d := 2 * limit
	if e.Deterministic {
		d <<= max(0, matrix.DefaultShift-e.Shift)
	}
	if e.SingleStep {
		d *= singleStepCost
	}
	return d + 30*time.Second
}

// lazyTemplate is made by the first guest that needs it.
type lazyTemplate struct {
	once sync.Once
	t    *vm.Template
	err  error
	used time.Time // as others were told last
}

// useTold is how often others are told that a template is in use, see store.Trim.
const useTold = time.Hour

func (r *run) template(k guestKind) (*vm.Template, error) {
	r.mu.Lock()
	l := r.templates[k]
	if l == nil {
		l = &lazyTemplate{}
		r.templates[k] = l
	}
	r.mu.Unlock()
	l.once.Do(func() {
		// A boot that fails once may work the next time.
		for range attempts {
			if l.t, l.err = vm.EnsureTemplate(r.ctx, r.Store, r.config(k)); l.err == nil || r.ctx.Err() != nil {
				return
			}
			if !infrastructural(l.err) {
				return
			}
			r.trouble(l.err)
		}
	})
	r.mu.Lock()
	defer r.mu.Unlock()
	if l.err == nil && time.Since(l.used) > useTold {
		l.used = time.Now()
		l.t.Used()
	}
	return l.t, l.err
}

func infrastructural(err error) bool {
	var boot *vm.BootError
	var infra *vm.InfraError
	return errors.As(err, &boot) || errors.As(err, &infra)
}

func (r *run) spec(t *trial) wire.Trial {
	c := r.Commands[t.cell]
	return wire.Trial{
		ID: t.n, Argv: c.Argv, Env: c.Env, Dir: c.Dir, Timeout: r.timeout(t.schedule), Faults: t.faults,
		Seed: t.schedule.Seed, Phase: t.schedule.Phase, Slice: t.schedule.Slice,
	}
}

// timeout is a trial's limit in the guest's time. A slow virtual CPU gets more of
// it: the limit is meant for what the program does, not for the clock.
func (r *run) timeout(s matrix.Schedule) time.Duration {
	return r.limit() << max(0, s.Shift-matrix.DefaultShift)
}

// longest is the most that a trial's limit is taken for: nobody waits for one beyond
// it, and it can be multiplied.
const longest = 30 * 24 * time.Hour

func (r *run) limit() time.Duration { return min(r.Matrix.Timeout, longest) }

// Commands are what the trials of each cell execute.
func Commands(s *scenarios.Scenario, cells []matrix.Cell) []journal.Command {
	all := make([]journal.Command, len(cells))
	for i, c := range cells {
		all[i] = Command(s, c.Axes, c.Env())
	}
	return all
}

// Command is the scenario's program with the values given, and env after the
// scenario's own environment, so that it wins.
func Command(s *scenarios.Scenario, values map[string]string, env []string) journal.Command {
	args, params := s.Command(values)
	p := s.Program()
	return journal.Command{
		Argv: slices.Concat([]string{images.ProgramPath}, p.Args, args),
		Env:  slices.Concat(baseEnv(), params, env),
		Dir:  p.WorkDir(),
	}
}

// baseEnv is the environment of every trial. GOTRACEBACK=system shows the
// runtime's frames too, which a signature needs.
func baseEnv() []string {
	return []string{"USER=root", "HOME=/tmp", "TMPDIR=/tmp", "PATH=/bin", "ZONEINFO=" + images.ZonesPath, "GOTRACEBACK=system"}
}
