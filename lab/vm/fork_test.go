package vm

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ghostlab/images"
	"ghostlab/initramfs/wire"
	"ghostlab/lab/labtest"
)

// clone runs one trial of testdata/dice in a clone and returns what it printed
// and how long it took in the guest's time.
func clone(t *testing.T, cfg Config, seed uint64, args ...string) (string, time.Duration) {
	t.Helper()
	cfg.Dir = t.TempDir()
	cfg.Spec = wire.Spec{Trials: []wire.Trial{{
		ID: 1, Argv: append([]string{images.ProgramPath}, args...), Timeout: time.Minute, Seed: seed,
	}}}
	var end *Message
	_, err := Run(t.Context(), cfg, func(m Message) {
		if m.Kind == wire.End {
			end = &m
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if end == nil || end.Result.Exit != 0 || end.Result.Error != "" {
		serial, _ := os.ReadFile(filepath.Join(cfg.Dir, "serial.log"))
		t.Fatalf("the trial's end: %+v\n%s", end, serial)
	}
	return string(end.Output), end.Result.Duration
}

func template(t *testing.T, engine Engine, vcpus int) Config {
	t.Helper()
	cfg := config(t, "dice")
	cfg.Engine, cfg.VCPUs = engine, vcpus
	var err error
	if cfg.Template, err = EnsureTemplate(t.Context(), labtest.Store(t), cfg); err != nil {
		t.Fatal(err)
	}
	return cfg
}

// Clones of one template would draw the same random numbers and lie at the same
// addresses; the seed decides instead.
func TestSeedDecidesWhatClonesDraw(t *testing.T) {
	for _, engine := range []Engine{{}, {Deterministic: true, Shift: 3}} {
		t.Run(fmt.Sprintf("deterministic=%v", engine.Deterministic), func(t *testing.T) {
			cfg := template(t, engine, 2)
			first, _ := clone(t, cfg, 1)
			second, _ := clone(t, cfg, 2)
			a, b := strings.Fields(first), strings.Fields(second)
			if len(a) != 4 || len(b) != 4 {
				t.Fatalf("dice printed %q and %q", first, second)
			}
			for i, what := range []string{"getrandom", "/dev/urandom", "AT_RANDOM", "the stack's address"} {
				if a[i] == b[i] {
					t.Errorf("%s: siblings with different seeds both got %s", what, a[i])
				}
			}
			if !engine.Deterministic {
				return // real time is among what the kernel mixes in
			}
			again, _ := clone(t, cfg, 1)
			if again != first {
				t.Errorf("equal seeds drew\n%s\nand\n%s", first, again)
			}
		})
	}
}

func TestDeterministicClonesTakeTheSameTime(t *testing.T) {
	for _, vcpus := range []int{1, 2} {
		cfg := template(t, Engine{Deterministic: true, Shift: 3}, vcpus)
		out, took := clone(t, cfg, 7, "-threads")
		for range 4 {
			if o, d := clone(t, cfg, 7, "-threads"); o != out || d != took {
				t.Errorf("%d vCPUs: %v and %v, printed\n%s\nand\n%s", vcpus, took, d, out, o)
			}
		}
	}
}

// A template made again, as on another host, must be the same guest.
func TestTemplateRepeats(t *testing.T) {
	for _, vcpus := range []int{1, 2, 4} {
		cfg := template(t, Engine{Deterministic: true, Shift: 3}, vcpus)
		dir := t.TempDir()
		if err := snapshot(t.Context(), cfg, dir); err != nil {
			t.Fatal(err)
		}
		again, err := openTemplate(dir)
		if err != nil || again.Digest != cfg.Template.Digest {
			t.Fatalf("%d vCPUs: want digest %s, got %+v (%v)", vcpus, cfg.Template.Digest, again, err)
		}
		out, took := clone(t, cfg, 7)
		cfg.Template = again
		if o, d := clone(t, cfg, 7); o != out || d != took {
			t.Errorf("%d vCPUs: clones of two templates: %v and %v, printed\n%s\nand\n%s", vcpus, took, d, out, o)
		}
	}
}

// The clocks of one image, as they were seen: before and after QEMU's last leap.
func TestSettledClocksAreEqual(t *testing.T) {
	settled := func(bias, instructions uint64) string {
		state := filepath.Join(t.TempDir(), stateFile)
		b := append([]byte("before"+clockSection), 0, 0, 0, 1)
		b = binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(b, bias), instructions)
		if err := os.WriteFile(state, append(b, "after"...), 0o600); err != nil {
			t.Fatal(err)
		}
		clock, err := settleClock(state)
		if err != nil {
			t.Fatal(err)
		}
		if b, _ = os.ReadFile(state); !bytes.Contains(b, append([]byte(clockSection), clock...)) || !bytes.HasSuffix(b, []byte("after")) {
			t.Errorf("the state is %q, the clock %q", b, clock)
		}
		return string(b)
	}
	if settled(47415504, 74632712) != settled(46814856, 74632712) {
		t.Error("the leap made a difference")
	}
	if settled(47415504, 74632712) == settled(47415504, 74632713) {
		t.Error("an instruction made no difference")
	}
}

func TestHashMemoryDoesNotSeeHoles(t *testing.T) {
	sparse, full := filepath.Join(t.TempDir(), "sparse"), filepath.Join(t.TempDir(), "full")
	page := bytes.Repeat([]byte{1}, 4096)
	f, err := os.Create(sparse)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	f.WriteAt(page, 1<<20)
	f.Truncate(4 << 20)
	b := make([]byte, 4<<20)
	copy(b[1<<20:], page)
	if err := os.WriteFile(full, b, 0o600); err != nil {
		t.Fatal(err)
	}
	var sums [3]bytes.Buffer
	for i, path := range []string{sparse, full} {
		if err := hashMemory(&sums[i], path); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(sums[0].Bytes(), sums[1].Bytes()) {
		t.Error("a hole and zeros differ")
	}
	b[0] = 1
	os.WriteFile(full, b, 0o600)
	if err := hashMemory(&sums[2], full); err != nil || bytes.Equal(sums[0].Bytes(), sums[2].Bytes()) {
		t.Errorf("another page made no difference (%v)", err)
	}
}
