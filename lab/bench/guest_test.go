package bench

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"ghostlab/images"
	"ghostlab/initramfs/wire"
	"ghostlab/lab/journal"
	"ghostlab/lab/labtest"
	"ghostlab/lab/matrix"
	"ghostlab/lab/qemu"
	"ghostlab/lab/runner"
	"ghostlab/lab/vm"
	"ghostlab/scenarios"
)

// rounds and each: what is compared takes turns, so that a host that gets
// slower meanwhile does not look like an effect.
const rounds, each = 4, 10

// race is a growing map on one vCPU, the shortest trial that crashes there as a
// rule: the longer a trial, the less it matters how its guest came to be.
func race(b *testing.B) (*scenarios.Scenario, vm.Config) {
	b.Helper()
	s, err := scenarios.Find("../../scenarios", "ghost-map")
	if err != nil {
		b.Fatal(err)
	}
	img := labtest.Image(b, s.ReproDir())
	version, err := qemu.Version(b.Context(), "qemu-system-aarch64")
	if err != nil {
		b.Fatal(err)
	}
	return s, vm.Config{
		QEMU: "qemu-system-aarch64", Version: version, CPU: "cortex-a57", VCPUs: 1, Memory: 512,
		Kernel: img.Kernel.Image(), Initramfs: img.Initramfs,
	}
}

func raceCommand(s *scenarios.Scenario) journal.Command {
	return runner.Command(s, map[string]string{"gomaxprocs": "2", "key_space": "growing"}, nil)
}

// spec is n such trials.
func spec(s *scenarios.Scenario, n int) wire.Spec {
	c := raceCommand(s)
	var out wire.Spec
	for i := range n {
		out.Trials = append(out.Trials, wire.Trial{ID: i + 1, Argv: c.Argv, Env: c.Env, Timeout: time.Minute, Seed: uint64(i) + 1})
	}
	return out
}

// job runs such trials by the runner.
func job(b *testing.B, s *scenarios.Scenario, cfg vm.Config, engine, isolation string, n int) runner.Job {
	b.Helper()
	m := &matrix.Matrix{Scenario: s, Trials: n, Timeout: time.Minute, Seed: uint64(time.Now().UnixNano()), Engine: engine, Shift: 3, Isolation: isolation}
	cells := m.Cells()
	folder, err := journal.Create(b.TempDir(), journal.Run{ID: "bench", Cells: cells, Trials: n, Commands: runner.Commands(s, cells), Kernels: make([]journal.Kernel, 1)})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { folder.Close() })
	img := labtest.Image(b, s.ReproDir())
	return runner.Job{
		Matrix: m, Cells: cells, Commands: []journal.Command{raceCommand(s)}, Go: labtest.Go, Folder: folder,
		Image: map[string]*images.Image{images.Name("", labtest.Go): img}, Machine: cfg, Store: labtest.Store(b),
	}
}

func run(b *testing.B, j runner.Job) time.Duration {
	b.Helper()
	start := time.Now()
	if err := runner.Run(b.Context(), j); err != nil {
		b.Fatal(err)
	}
	return time.Since(start)
}

// coldLoop is the obvious alternative: a shell that boots the leanest QEMU for
// each trial.
func coldLoop(b *testing.B, cfg vm.Config, s *scenarios.Scenario, n int) time.Duration {
	b.Helper()
	dir := b.TempDir()
	file := filepath.Join(dir, vm.SpecName)
	if err := os.WriteFile(file, spec(s, 1).Encode(), 0o600); err != nil {
		b.Fatal(err)
	}
	line := qemu.Command{Binary: cfg.QEMU, Devices: []qemu.Device{
		qemu.Machine{CPU: cfg.CPU, VCPUs: cfg.VCPUs, Memory: cfg.Memory},
		qemu.Parallel{}, qemu.Kernel{Image: cfg.Kernel, Initramfs: cfg.Initramfs},
		qemu.Console{File: filepath.Join(dir, "console")}, qemu.FwCfg{Name: wire.SpecFile, File: file},
	}}.Argv()
	script := `n=$1; shift; while [ $n -gt 0 ]; do "$@" || exit 1; n=$((n-1)); done`
	start := time.Now()
	cmd := exec.CommandContext(b.Context(), "sh", append([]string{"-c", script, "sh", fmt.Sprint(n)}, line...)...)
	if out, err := cmd.CombinedOutput(); err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
	took := time.Since(start)
	console, err := os.ReadFile(filepath.Join(dir, "console"))
	if err != nil || !strings.Contains(string(console), "lab: trial 1 ends: exit status") {
		b.Fatalf("the trial did not run: %v\n%s", err, console)
	}
	return took
}

// oneByOne forks a guest for each trial, without preparing any ahead.
func oneByOne(b *testing.B, cfg vm.Config, s *scenarios.Scenario, n int) time.Duration {
	b.Helper()
	cfg.Dir = b.TempDir()
	trials := spec(s, n).Trials
	start := time.Now()
	for _, t := range trials {
		cfg.Spec = wire.Spec{Trials: []wire.Trial{t}}
		ended := false
		_, err := vm.Run(b.Context(), cfg, func(m vm.Message) {
			ended = ended || m.Kind == wire.End && m.Result.Error == ""
		})
		if err != nil || !ended {
			b.Fatalf("ended: %v, %v", ended, err)
		}
	}
	return time.Since(start)
}

func forkable(b *testing.B, cfg vm.Config, engine vm.Engine) vm.Config {
	b.Helper()
	cfg.Engine = engine
	var err error
	if cfg.Template, err = vm.EnsureTemplate(context.Background(), labtest.Store(b), cfg); err != nil {
		b.Fatal(err)
	}
	return cfg
}

func BenchmarkFork(b *testing.B) {
	s, cfg := race(b)
	clone := forkable(b, cfg, vm.Engine{})
	var boot, fork, ahead time.Duration
	for range rounds {
		boot += coldLoop(b, cfg, s, each)
		fork += oneByOne(b, clone, s, each)
		ahead += run(b, job(b, s, cfg, matrix.Parallel, matrix.Fork, each))
	}
	b.Logf("a trial: boot %v, fork %v, fork prepared ahead %v", boot/(rounds*each), fork/(rounds*each), ahead/(rounds*each))
	ratio(b, "fork", fork.Seconds()/boot.Seconds(), 0.45)
	ratio(b, "fork-ahead", ahead.Seconds()/boot.Seconds(), 0.33)
}

func BenchmarkDeterministic(b *testing.B) {
	s, cfg := race(b)
	parallel, deterministic := forkable(b, cfg, vm.Engine{}), forkable(b, cfg, vm.Engine{Deterministic: true, Shift: 3})
	var p, d time.Duration
	for range rounds {
		p += oneByOne(b, parallel, s, each)
		d += oneByOne(b, deterministic, s, each)
	}
	b.Logf("a trial: parallel %v, deterministic %v", p/(rounds*each), d/(rounds*each))
	ratio(b, "deterministic", d.Seconds()/p.Seconds(), 1.3)
}

// BenchmarkOwnTime measures what lab itself costs a forked trial.
func BenchmarkOwnTime(b *testing.B) {
	s, cfg := race(b)
	forkable(b, cfg, vm.Engine{})
	const n = 40
	j := job(b, s, cfg, matrix.Parallel, matrix.Fork, n)
	before := ownTime(b)
	run(b, j)
	perTrial := (ownTime(b) - before) / n
	b.Logf("lab's own time for a trial: %v", perTrial)
	ratio(b, "own-time-of-10ms", perTrial.Seconds()/0.010, 1)
}

func ownTime(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
