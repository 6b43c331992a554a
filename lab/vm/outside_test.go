package vm

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"ghostlab/images"
	"ghostlab/initramfs/wire"
	"ghostlab/lab/labtest"
	"ghostlab/lab/store"
)

// endless is a guest whose program never ends.
func endless(t *testing.T, engine Engine, vcpus int) Config {
	t.Helper()
	cfg := config(t, "hog", wire.Trial{ID: 1, Argv: []string{images.ProgramPath}, Timeout: time.Hour})
	cfg.Engine, cfg.VCPUs = engine, vcpus
	return cfg
}

func cloned(t *testing.T, cfg Config) Config {
	t.Helper()
	var err error
	if cfg.Template, err = EnsureTemplate(t.Context(), labtest.Store(t), cfg); err != nil {
		t.Fatal(err)
	}
	return cfg
}

// QEMU ends with status 0 on these signals, as if its guest had ended itself.
func TestSignalledQEMUIsInfrastructure(t *testing.T) {
	recorded := endless(t, Engine{Deterministic: true, Shift: 3}, 1)
	recorded.Record = filepath.Join(t.TempDir(), "log")
	for name, c := range map[string]struct {
		cfg    Config
		signal syscall.Signal
	}{
		"booted":                {endless(t, Engine{}, 2), syscall.SIGTERM},
		"clone":                 {cloned(t, endless(t, Engine{}, 2)), syscall.SIGHUP},
		"deterministic clone":   {cloned(t, endless(t, Engine{Deterministic: true, Shift: 3}, 2)), syscall.SIGINT},
		"recorded":              {recorded, syscall.SIGTERM},
		"killed":                {cloned(t, endless(t, Engine{}, 2)), syscall.SIGKILL},
		"with a monitor's quit": {cloned(t, endless(t, Engine{}, 2)), 0},
	} {
		t.Run(name, func(t *testing.T) {
			g, err := Prepare(t.Context(), c.cfg)
			if err != nil {
				t.Fatal(err)
			}
			defer g.Close()
			end, err := g.Run(t.Context(), func(m Message) {
				if m.Kind != wire.Begin {
					return
				}
				if c.signal == 0 {
					g.command("quit", nil, nil)
				} else {
					syscall.Kill(g.proc.PID(), c.signal)
				}
			})
			want := fmt.Sprintf("(host-signal: qemu-system-aarch64: terminating on signal %d", c.signal)
			switch c.signal {
			case syscall.SIGKILL:
				want = "signal: killed"
			case 0:
				want = "(host-qmp-quit)"
			}
			var infra *InfraError
			if !errors.As(err, &infra) || !strings.Contains(err.Error(), want) {
				t.Errorf("end %+v, error %v; want %q", end, err, want)
			}
		})
	}
}

func TestSignalledQEMUBeforeTheTrial(t *testing.T) {
	want := func(what string, err error) {
		t.Helper()
		var boot *BootError
		if !errors.As(err, &boot) {
			t.Errorf("%s: %v", what, err)
			return
		}
		// One that is not ready to say so yet is ended by the signal itself.
		said := strings.Contains(err.Error(), "host-signal") && strings.Contains(err.Error(), "terminating on signal 15")
		if !said && !strings.Contains(err.Error(), "signal: terminated") {
			t.Errorf("%s: %v", what, err)
		}
	}
	cfg := endless(t, Engine{}, 2)
	g, err := Prepare(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	time.AfterFunc(200*time.Millisecond, func() { syscall.Kill(g.proc.PID(), syscall.SIGTERM) })
	_, err = g.Run(t.Context(), func(Message) {})
	want("booting", err)

	g, err = Prepare(t.Context(), cloned(t, cfg))
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	syscall.Kill(g.proc.PID(), syscall.SIGTERM)
	<-g.proc.Done()
	_, err = g.Run(t.Context(), func(Message) {})
	want("prepared", err)

	cfg.QEMU = filepath.Join(t.TempDir(), "qemu")
	script := "#!/bin/sh\n(sleep 0.3; kill -TERM $$) &\nexec qemu-system-aarch64 \"$@\"\n"
	if err := os.WriteFile(cfg.QEMU, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	st, err := store.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	_, err = EnsureTemplate(t.Context(), st, cfg)
	want("template", err)
}

func TestSignalledReplayIsInfrastructure(t *testing.T) {
	cfg, _ := ghostMap(t)
	cfg.Spec = writers(1)
	log, _ := record(t, cfg)
	r := replay(t, cfg, log)
	time.AfterFunc(100*time.Millisecond, func() { syscall.Kill(r.g.proc.PID(), syscall.SIGTERM) })
	_, err := r.Continue(t.Context())
	var infra *InfraError
	if !errors.As(err, &infra) || !strings.Contains(err.Error(), "host-signal") {
		t.Errorf("the replay ended: %v", err)
	}
}

// What QMP did not tell is no result.
func TestEndThatNobodySaw(t *testing.T) {
	g, err := Prepare(t.Context(), endless(t, Engine{}, 2))
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	end, err := g.Run(t.Context(), func(m Message) {
		if m.Kind == wire.Begin {
			g.mon.Disconnect()
			syscall.Kill(g.proc.PID(), syscall.SIGTERM)
		}
	})
	var infra *InfraError
	if !errors.As(err, &infra) || !strings.Contains(err.Error(), "nobody knows why") {
		t.Errorf("end %+v, error %v", end, err)
	}
}

// A terminal that the lab waits for does not make a guest hang.
func TestCallbackIsNoSilence(t *testing.T) {
	cfg := endless(t, Engine{}, 1)
	cfg.Silence = 2 * time.Second
	var begun time.Time
	end, err := Run(t.Context(), cfg, func(m Message) {
		if m.Kind == wire.Begin {
			time.Sleep(3 * time.Second)
			begun = time.Now()
		}
	})
	if err != nil || end.Reason != Hung {
		t.Fatalf("%+v, %v", end, err)
	}
	if silent := time.Since(begun); silent < cfg.Silence {
		t.Errorf("hung after %v without a word, where %v are allowed", silent, cfg.Silence)
	}
}
