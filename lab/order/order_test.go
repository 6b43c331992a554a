package order

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"ghostlab/initramfs/wire"
	"ghostlab/lab/journal"
	"ghostlab/lab/labtest"
	"ghostlab/lab/qemu"
	"ghostlab/lab/store"
	"ghostlab/lab/vm"
)

func TestParse(t *testing.T) {
	got, err := parse("plain 1000 50\nload 900 1\ncas 800 2\n")
	if want := (journal.Litmus{Rounds: 1700, Forbidden: 3, Plain: 1000, Reordered: 50}); err != nil || *got != want {
		t.Errorf("%+v, %v", got, err)
	}
	for _, text := range []string{
		"", "plain 1000 50\n", "plain 1000 50\nload 900 1\n", "plain 1000 50\nload 900 1\nload 800 2\n", "plain 1000 50\nload 900 1\nswap 800 2\n",
		"plain 1000 50\nload 900 901\ncas 800 2\n", "plain 1000 50\nload 900 -1\ncas 800 2\n", "plain 0 0\nload 900 1\ncas 800 2\n",
		"plain 1000 50\nload 900\ncas 800 2\n", "panic: x\nplain 1000 50\nload 900 1\ncas 800 2\n",
	} {
		if got, err := parse(text); err == nil {
			t.Errorf("%q is %+v", text, got)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("plain 1000 50\nload 900 1\ncas 800 2\n")
	f.Fuzz(func(t *testing.T, text string) {
		if l, err := parse(text); err == nil && (l.Forbidden > l.Rounds || l.Reordered > l.Plain || l.Forbidden < 0 || l.Rounds <= 0) {
			t.Errorf("%q is %+v", text, l)
		}
	})
}

// selfTest is one whose results are not kept.
func selfTest(t *testing.T) Test {
	t.Helper()
	k := labtest.Kernel(t)
	if runtime.NumCPU() < 2 {
		t.Skip("vCPUs take turns on one core")
	}
	version, err := qemu.Version(t.Context(), "qemu-system-aarch64")
	if err != nil {
		t.Fatal(err)
	}
	st, err := store.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return Test{Store: st, QEMU: "qemu-system-aarch64", Version: version, Kernel: k, Go: labtest.Go}
}

// The promise: what occurs without the plugin does not with it. A host that has hardly
// a moment for two vCPUs at once is asked again.
func TestGuestsShowWhatArmForbidsOnlyWithoutTheFence(t *testing.T) {
	test := selfTest(t)
	for range 5 {
		fence, m, err := Ensure(t.Context(), test)
		if err != nil || fence == "" {
			t.Fatalf("%q, %+v, %v", fence, m, err)
		}
		t.Logf("%s; fenced %+v, bare %+v", m, m.Fenced, m.Bare)
		if m.Fenced != nil && m.Fenced.Forbidden > 0 {
			t.Fatal(m)
		}
		if m.Verdict() != journal.OrderKept || !m.Bare.Sees() {
			continue
		}
		if m.Bare.Forbidden == 0 {
			t.Error("nothing forbidden without the fence: this QEMU orders STLR before LDAR itself?")
		}
		// It is kept: another run has it without a test.
		test.Begins = func() { t.Error("a second test of the same host") }
		again, m2, err := Ensure(t.Context(), test)
		if err != nil || again != fence || *m2.Fenced != *m.Fenced || *m2.Bare != *m.Bare {
			t.Errorf("%q, %+v, %v", again, m2, err)
		}
		return
	}
	t.Skip("this host never ran both vCPUs at the same time")
}

// Clones have the fence too, whatever their template was made with; guests that TCG does
// not run in parallel never have it.
func TestClonesAreFenced(t *testing.T) {
	test := selfTest(t)
	fence, err := Fence(t.Context(), test.Store, test.QEMU, test.Version)
	if err != nil {
		t.Fatal(err)
	}
	img, err := test.image(t.Context(), filepath.Join(t.TempDir(), "litmus"))
	if err != nil {
		t.Fatal(err)
	}
	cfg := test.config(img, "")
	if cfg.Template, err = vm.EnsureTemplate(t.Context(), test.Store, cfg); err != nil {
		t.Fatal(err)
	}
	was := cfg.Template.Digest
	cfg.Fence = fence
	// One template serves both: the plugin is none of the guest.
	if cfg.Template, err = vm.EnsureTemplate(t.Context(), test.Store, cfg); err != nil || cfg.Template.Digest != was {
		t.Errorf("another template for the plugin: %v", err)
	}
	var byHand string
	cfg.Started = func(text, _ string) { byHand = text }
	l, err := guest(t.Context(), cfg)
	if err != nil || l.Forbidden > 0 {
		t.Errorf("a clone shows what Arm forbids: %+v, %v", l, err)
	}
	if !strings.Contains(byHand, "-plugin file="+fence) {
		t.Errorf("not the machine that ran: %s", byHand)
	}
	cfg.Template, cfg.Spec = nil, wire.Spec{}
	for name, change := range map[string]func(c *vm.Config){
		"deterministic": func(c *vm.Config) { c.Engine = vm.Engine{Deterministic: true, Shift: 3} },
		"one vCPU":      func(c *vm.Config) { c.VCPUs = 1 },
	} {
		c := cfg
		change(&c)
		if _, err := vm.Run(t.Context(), c, func(vm.Message) {}); err != nil || strings.Contains(byHand, "-plugin") {
			t.Errorf("%s: %s, %v", name, byHand, err)
		}
	}
}

// An emulator that takes the option and then runs no guest with it, as one whose
// interface has changed, leaves the run its guests.
func TestGuestsThatDoNotRunWithThePluginRunWithout(t *testing.T) {
	test := selfTest(t)
	script := `#!/bin/sh
case "$*" in
*-version*) ;;
*-plugin*) echo "qemu: Could not load plugin: this QEMU supports only a minimum version of 9" >&2; exit 1 ;;
esac
exec qemu-system-aarch64 "$@"
`
	test.QEMU = filepath.Join(t.TempDir(), "qemu")
	if err := os.WriteFile(test.QEMU, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	fence, m, err := Ensure(t.Context(), test)
	if err != nil || fence != "" || m.Fence != "" || !strings.Contains(m.String(), "minimum version of 9") {
		t.Errorf("%q, %v, %v", fence, m, err)
	}
}
