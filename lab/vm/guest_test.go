package vm

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"ghostlab/gdb"
	"ghostlab/images"
	"ghostlab/initramfs/wire"
	"ghostlab/lab/labtest"
	"ghostlab/lab/qemu"
	"ghostlab/lab/store"
)

// config is a guest with the program of a testdata folder.
func config(t *testing.T, program string, trials ...wire.Trial) Config {
	t.Helper()
	img := labtest.Image(t, filepath.Join("testdata", program))
	return Config{
		QEMU: "qemu-system-aarch64", CPU: "cortex-a57", VCPUs: 2, Memory: 512,
		Kernel: img.Kernel.Image(), Initramfs: img.Initramfs, Dir: t.TempDir(),
		Spec: wire.Spec{Trials: trials}, Silence: 2 * time.Minute,
	}
}

func TestLabFaultRecordsFaultsAtKnownDistances(t *testing.T) {
	cfg := config(t, "faults", wire.Trial{ID: 1, Argv: []string{images.ProgramPath}, Timeout: time.Minute, Faults: true})
	var end Message
	_, err := Run(t.Context(), cfg, func(m Message) {
		if m.Kind == wire.End {
			end = m
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	out := string(end.Output)
	if strings.Count(out, "\nok ")+1 < 9 || strings.Contains(out, "not ok") {
		t.Errorf("the guest says:\n%s", out)
	}
}

func TestGuestWithoutTrialsPowersOff(t *testing.T) {
	cfg := config(t, "faults")
	end, err := Run(t.Context(), cfg, func(Message) {})
	if err != nil {
		t.Fatal(err)
	}
	if end.Reason != PoweredOff || end.Release == "" {
		t.Errorf("got %v of kernel %q", end.Reason, end.Release)
	}
}

func TestBootFailureIsABootError(t *testing.T) {
	broken := filepath.Join(t.TempDir(), "initramfs.cpio")
	if err := os.WriteFile(broken, []byte("no archive"), 0o644); err != nil {
		t.Fatal(err)
	}
	cfg := config(t, "faults")
	cfg.Initramfs = broken
	_, err := Run(t.Context(), cfg, func(Message) {})
	var boot *BootError
	if !errors.As(err, &boot) || !strings.Contains(boot.Error(), "Kernel panic") {
		t.Errorf("want a BootError with the kernel's words, got %v", err)
	}
	cfg = config(t, "faults")
	cfg.CPU = "no-such-cpu"
	_, err = Run(t.Context(), cfg, func(Message) {})
	var exit *qemu.ExitError
	if !errors.As(err, &boot) || !errors.As(err, &exit) || !strings.Contains(err.Error(), "no-such-cpu") {
		t.Errorf("want a BootError with QEMU's words, got %v", err)
	}
}

// QEMU 7.2 says of this model that it has a GICv3, which the board has not: the
// kernel panics before it has a console, and cannot restart the machine. Another
// QEMU may boot it.
func TestEarlyPanicIsHeardAtOnce(t *testing.T) {
	cfg := config(t, "faults")
	cfg.CPU = "a64fx"
	st, err := store.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for name, boot := range map[string]func() error{
		"guest":    func() error { _, err := Run(t.Context(), cfg, func(Message) {}); return err },
		"template": func() error { _, err := EnsureTemplate(t.Context(), st, cfg); return err },
	} {
		start := time.Now()
		err := boot()
		if err == nil {
			continue
		}
		var failed *BootError
		if !errors.As(err, &failed) || !strings.Contains(err.Error(), "CPU a64fx") || !strings.Contains(err.Error(), "Kernel panic") || failed.Hint() == "" {
			t.Errorf("%s: %v", name, err)
		}
		if took := time.Since(start); took >= DefaultBootLimit {
			t.Errorf("%s: said after %v", name, took)
		}
	}
}

// The command that -v prints must work without lab.
func TestCommandByHandRunsTheSameGuest(t *testing.T) {
	cfg := config(t, "faults", wire.Trial{ID: 1, Argv: []string{images.ProgramPath}, Timeout: time.Minute})
	var byHand string
	cfg.Started = func(cmd, _ string) { byHand = cmd }
	if _, err := Run(t.Context(), cfg, func(Message) {}); err != nil {
		t.Fatal(err)
	}
	out := shell(t, byHand)
	if !strings.Contains(out, "ok distances") || !strings.Contains(out, "lab: trial 1 ends: exit status 0") {
		t.Errorf("%s\nprinted:\n%s", byHand, out)
	}
}

func TestNoFolderIsLeft(t *testing.T) {
	cfg := config(t, "faults")
	var socket string
	cfg.Started = func(_, s string) {
		socket = s
		info, err := os.Stat(filepath.Dir(s))
		if err != nil || info.Mode().Perm() != 0o700 {
			t.Errorf("the folder of the sockets: %v, %v", info, err)
		}
	}
	if _, err := Run(t.Context(), cfg, func(Message) {}); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Dir(socket)); !os.IsNotExist(err) {
		t.Errorf("%s is left: %v", filepath.Dir(socket), err)
	}
}

func TestHungGuestLeavesItsStacks(t *testing.T) {
	cfg := config(t, "hog", wire.Trial{ID: 1, Argv: []string{images.ProgramPath}, Timeout: time.Second})
	cfg.Silence = 4 * time.Second
	cfg.Vmlinux = labtest.Kernel(t).Vmlinux()
	end, err := Run(t.Context(), cfg, func(Message) {})
	if err != nil {
		t.Fatal(err)
	}
	if end.Reason != Hung {
		t.Fatalf("the guest ended: %v\n%s", end.Reason, end.Console)
	}
	for _, want := range []string{"CPU#0", "CPU#1", "PSTATE="} {
		if !strings.Contains(string(end.Stacks), want) {
			t.Errorf("no %s in\n%s", want, end.Stacks)
		}
	}
	if _, err := gdb.Find(); err == nil && !strings.Contains(string(end.Stacks), "Thread 2") {
		t.Errorf("gdb has seen no threads:\n%s", end.Stacks)
	}
}

// A QEMU that its host has stopped is no hang of the guest's, and lab does not
// wait for it for ever.
func TestStoppedQEMUIsInfrastructure(t *testing.T) {
	cfg := config(t, "hog", wire.Trial{ID: 1, Argv: []string{images.ProgramPath}, Timeout: time.Minute})
	cfg.Silence = 500 * time.Millisecond
	stop := func(g *Guest) {
		if err := syscall.Kill(g.proc.PID(), syscall.SIGSTOP); err != nil {
			t.Fatal(err)
		}
		g.mon.Patience = time.Second
	}
	prepare := func() *Guest {
		g, err := Prepare(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(g.Close)
		return g
	}
	var boot *BootError
	g := prepare()
	stop(g)
	if _, err := g.Run(t.Context(), func(Message) {}); !errors.As(err, &boot) || !errors.Is(err, qemu.ErrSilent) {
		t.Errorf("before the guest ran: %v", err)
	}
	var infra *InfraError
	g = prepare()
	_, err := g.Run(t.Context(), func(m Message) {
		if m.Kind == wire.Begin {
			stop(g)
		}
	})
	if want := fmt.Sprintf("process %d was stopped, by a signal", g.proc.PID()); !errors.As(err, &infra) || !strings.Contains(err.Error(), want) {
		t.Errorf("during the trial: %v; want %q", err, want)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	g = prepare()
	stop(g)
	g.mon.Patience = time.Hour
	if _, err := g.Run(ctx, func(Message) {}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the context has ended: %v", err)
	}
}
