package order

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"

	"ghostlab/images"
	"ghostlab/initramfs/wire"
	"ghostlab/kernels"
	"ghostlab/lab/host"
	"ghostlab/lab/journal"
	"ghostlab/lab/store"
	"ghostlab/lab/vm"
	"ghostlab/scenarios"
)

//go:embed litmus/main.go
var litmus []byte

// Test is what the self-test needs.
type Test struct {
	Store *store.Store
	// QEMU and Version are the emulator, as in vm.Config.
	QEMU, Version string
	// Kernel is booted, and Go compiles the litmus test. Their versions make no
	// difference to it.
	Kernel *kernels.Kernel
	Go     string
	// Begins, when set, is called before a test that takes some seconds.
	Begins func()
}

// Ensure returns the plugin, or "" where this host cannot have it, and what is known of
// the memory order with it: the self-test's result of this QEMU, plugin and host, from
// the store or made now. The error is the context's, or the store's.
func Ensure(ctx context.Context, t Test) (fence string, m *journal.MemoryOrder, err error) {
	fence, err = Fence(ctx, t.Store, t.QEMU, t.Version)
	switch {
	case ctx.Err() != nil:
		return "", nil, ctx.Err()
	case errors.Is(err, syscall.ENOSPC):
		return "", nil, err // which is no property of the host
	case err != nil:
		return "", &journal.MemoryOrder{Why: oneLine(err)}, nil
	}
	m = &journal.MemoryOrder{Fence: Digest()}
	if runtime.NumCPU() == 1 {
		m.Why = "this host has one core, on which vCPUs take turns"
		return fence, m, nil
	}
	key, err := t.key(fence)
	if err != nil {
		return "", nil, err
	}
	dir, err := t.Store.Ensure(ctx, "memory-order", key, func(ctx context.Context, staging string) error {
		if t.Begins != nil {
			t.Begins()
		}
		if err := t.run(ctx, staging, fence, m); err != nil {
			return err
		}
		if m.Verdict() == journal.OrderUnknown {
			return errUntold // another time the host may be less busy
		}
		text, err := json.Marshal(m)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(staging, resultFile), text, 0o644)
	})
	var failed *failedError
	switch {
	case errors.Is(err, errUntold):
		return fence, m, nil
	case ctx.Err() != nil:
		return "", nil, ctx.Err()
	case errors.As(err, &failed) && failed.fenced:
		// Guests that do not run with it are worse than those that do without.
		return "", &journal.MemoryOrder{Why: "no guest runs with the plugin: " + oneLine(failed.err)}, nil
	case errors.As(err, &failed):
		m.Why = oneLine(failed.err)
		return fence, m, nil
	case err != nil:
		return "", nil, err
	}
	text, err := os.ReadFile(filepath.Join(dir, resultFile))
	if err == nil {
		m = &journal.MemoryOrder{}
		err = json.Unmarshal(text, m)
	}
	return fence, m, err
}

const resultFile = "result.json"

// errUntold says that a self-test is not worth keeping.
var errUntold = errors.New("the self-test told nothing")

// failedError says that a guest of the self-test gave no result.
type failedError struct {
	fenced bool
	err    error
}

func (e *failedError) Error() string { return "self-test of the memory order: " + e.err.Error() }

func (e *failedError) Unwrap() error { return e.err }

// key is the digest of what the self-test is about: the emulator's own bytes too, for
// builds of one version differ.
func (t Test) key(fence string) (store.Key, error) {
	h := store.NewHasher("memory order 1")
	binary, err := exec.LookPath(t.QEMU)
	if err != nil {
		return store.Key{}, err
	}
	if err := errors.Join(h.AddFile("emulator", binary), h.AddFile("plugin", fence)); err != nil {
		return store.Key{}, err
	}
	h.Add("qemu", t.Version)
	h.Add("litmus", string(litmus))
	h.Add("processor", host.CPU())
	h.Add("kernel", host.Kernel())
	return h.Key(), nil
}

// run runs the litmus test in a guest with the plugin and in one without.
func (t Test) run(ctx context.Context, staging, fence string, m *journal.MemoryOrder) error {
	img, err := t.image(ctx, filepath.Join(staging, "litmus"))
	if err != nil {
		return err
	}
	if m.Fenced, err = guest(ctx, t.config(img, fence)); err != nil {
		return &failedError{true, err}
	}
	if m.Bare, err = guest(ctx, t.config(img, "")); err != nil {
		m.Fenced = nil
		return &failedError{false, err}
	}
	return nil
}

// image is one with the litmus test as its program, whose sources are in dir meanwhile.
func (t Test) image(ctx context.Context, dir string) (*images.Image, error) {
	if err := os.Mkdir(dir, 0o755); err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	for name, text := range map[string][]byte{"main.go": litmus, "go.mod": []byte("module litmus\n\ngo 1.21\n")} {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o644); err != nil {
			return nil, err
		}
	}
	return images.Ensure(ctx, t.Store, t.Kernel, scenarios.Program{Dir: dir}, t.Go)
}

// config is a guest of two vCPUs that runs the litmus test. The model has no atomic
// instructions of Armv8.1, so that a compare-and-swap begins with LDAXR.
func (t Test) config(img *images.Image, fence string) vm.Config {
	const limit = time.Minute // the test itself ends after three seconds
	return vm.Config{
		QEMU: t.QEMU, Version: t.Version, CPU: "cortex-a57", VCPUs: 2, Memory: 256,
		Kernel: img.Kernel.Image(), Initramfs: img.Initramfs, Fence: fence, Silence: limit + vm.DefaultBootLimit,
		Spec: wire.Spec{Trials: []wire.Trial{{ID: 1, Argv: []string{images.ProgramPath}, Env: []string{"HOME=/tmp"}, Timeout: limit}}},
	}
}

// guest runs such a guest.
func guest(ctx context.Context, cfg vm.Config) (*journal.Litmus, error) {
	var output []byte
	var result *wire.Result
	end, err := vm.Run(ctx, cfg, func(m vm.Message) {
		if m.Kind == wire.End {
			output, result = m.Output, m.Result
		}
	})
	switch {
	case err != nil:
		return nil, err
	case result == nil:
		return nil, fmt.Errorf("the guest ended before its test: %v", end.Reason)
	case result.Exit != 0 || result.TimedOut:
		return nil, fmt.Errorf("the test ended with %v", result)
	}
	return parse(string(output))
}

// parse reads what the litmus test prints: a line of a kind of access, its rounds, and
// those in which both threads read the old value.
func parse(output string) (*journal.Litmus, error) {
	l := &journal.Litmus{}
	seen := map[string]bool{}
	for line := range strings.Lines(output) {
		var kind string
		var rounds, old int
		if n, err := fmt.Sscanf(line, "%s %d %d\n", &kind, &rounds, &old); n != 3 || err != nil || rounds <= 0 || old < 0 || old > rounds || seen[kind] {
			return nil, fmt.Errorf("the litmus test says %q", strings.TrimSpace(line))
		}
		seen[kind] = true
		switch kind {
		case "plain":
			l.Plain, l.Reordered = rounds, old
		case "load", "cas":
			l.Rounds, l.Forbidden = l.Rounds+rounds, l.Forbidden+old
		default:
			return nil, fmt.Errorf("the litmus test has a kind %q", kind)
		}
	}
	if len(seen) != 3 {
		return nil, fmt.Errorf("the litmus test says %q, want three lines", output)
	}
	return l, nil
}

// oneLine is an error's first line, for a report.
func oneLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}
