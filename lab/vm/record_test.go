package vm

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"ghostlab/gdb"
	"ghostlab/images"
	"ghostlab/initramfs/wire"
	"ghostlab/lab/labtest"
)

// ghostMap is a deterministic guest of one vCPU with the scenario's program, and
// that program's file on the host.
func ghostMap(t *testing.T) (cfg Config, program string) {
	t.Helper()
	img := labtest.Image(t, "../../scenarios/ghost-map/repro")
	cfg = Config{
		QEMU: "qemu-system-aarch64", CPU: "cortex-a57", VCPUs: 1, Memory: 512,
		Kernel: img.Kernel.Image(), Initramfs: img.Initramfs, Silence: 2 * time.Minute,
		Engine: Engine{Deterministic: true, Shift: 6},
	}
	return cfg, img.Program
}

// writers is a trial of two goroutines on one map.
func writers(seed uint64) wire.Spec {
	return wire.Spec{Trials: []wire.Trial{{
		ID: 1, Argv: []string{images.ProgramPath, "-key-space=growing"}, Timeout: time.Minute, Seed: seed,
		Env: []string{"GOMAXPROCS=2", "GOTRACEBACK=system", "HOME=/tmp", "PATH=/bin"},
	}}}
}

// execution runs a guest and returns what it showed of its trial.
func execution(t *testing.T, cfg Config) Message {
	t.Helper()
	var end Message
	_, err := Run(t.Context(), cfg, func(m Message) {
		if m.Kind == wire.End {
			end = m
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	if end.Result == nil {
		t.Fatal("the trial has no end")
	}
	return end
}

// crashing finds a trial that crashes.
func crashing(t *testing.T, cfg Config) (Config, Message) {
	t.Helper()
	for seed := range uint64(40) {
		cfg.Spec = writers(seed + 1)
		if end := execution(t, cfg); bytes.Contains(end.Output, []byte("fatal error: concurrent map")) {
			return cfg, end
		}
	}
	t.Fatal("none of 40 trials crashed")
	return cfg, Message{}
}

func same(a, b Message) bool {
	return a.Result.Duration == b.Result.Duration && a.Result.Exit == b.Result.Exit &&
		bytes.Equal(a.Output, b.Output) && bytes.Equal(a.Faults, b.Faults) && bytes.Equal(a.Console, b.Console)
}

func record(t *testing.T, cfg Config) (log string, end Message) {
	t.Helper()
	log = filepath.Join(t.TempDir(), "log")
	cfg.Record = log
	return log, execution(t, cfg)
}

func replay(t *testing.T, cfg Config, log string) *Replay {
	t.Helper()
	r, err := OpenReplay(t.Context(), cfg, log)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	return r
}

// A recording does not change the trial, and all its replays end at the same
// instruction with the same registers: of clones, of guests that boot, and of
// those that are run one instruction at a time.
func TestRecordAndReplaysAreTheTrial(t *testing.T) {
	booted, _ := ghostMap(t)
	cloned := booted
	var err error
	if cloned.Template, err = EnsureTemplate(t.Context(), labtest.Store(t), cloned); err != nil {
		t.Fatal(err)
	}
	single := booted
	single.Engine.SingleStep = true
	if single.Template, err = EnsureTemplate(t.Context(), labtest.Store(t), single); err != nil {
		t.Fatal(err)
	}
	for name, cfg := range map[string]Config{"fork": cloned, "boot": booted, "single step": single} {
		t.Run(name, func(t *testing.T) {
			cfg.Spec = writers(1)
			plain := execution(t, cfg)
			log, recorded := record(t, cfg)
			if !same(plain, recorded) {
				t.Errorf("took %v, recorded %v:\n%s\nrecorded:\n%s", plain.Result.Duration, recorded.Result.Duration, plain.Console, recorded.Console)
			}
			var first *Position
			for range 3 {
				r := replay(t, cfg, log)
				p, err := r.Continue(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				switch {
				case !bytes.Contains(p.Console, append(plain.Console, "lab: trial 1 ends: "...)):
					t.Errorf("the replay printed\n%s\nwant\n%s", p.Console, plain.Console)
				case first == nil:
					first = p
				case p.Instructions != first.Instructions || p.Registers != first.Registers:
					t.Errorf("replays end at instruction %d and %d", first.Instructions, p.Instructions)
				}
				if p.Instructions <= r.Start() {
					t.Errorf("from instruction %d to %d", r.Start(), p.Instructions)
				}
				info, _ := os.Stat(r.g.dir.file("snapshots"))
				t.Logf("%d instructions, snapshot of %d MiB", p.Instructions-r.Start(), info.Size()>>20)
				r.Close()
			}
		})
	}
}

// backwards stands where the runtime found two writers, steps back and on again,
// and then goes back along the map's flags.
const backwards = `set pagination off
set confirm off
set architecture aarch64
file %s
target remote %s
hbreak runtime.fatal
continue
up
set language c
set $flags = (unsigned long)&h->flags
define who
  printf ": pc %%#lx goid %%ld flags %%d\n", (unsigned long)$pc, *(long*)($x28+152), *(unsigned char*)$flags
end
frame 0
echo fatal
who
delete
reverse-stepi
reverse-stepi
echo back
who
stepi
stepi
echo again
who
watch *(unsigned char*)$flags
reverse-continue
echo writer
who
backtrace 3
reverse-continue
echo before
who
disconnect
`

func TestDebuggerRunsBackwardsToTheOtherWriter(t *testing.T) {
	debugger, err := gdb.Find()
	if err != nil {
		t.Skip(err)
	}
	cfg, program := ghostMap(t)
	if cfg.Template, err = EnsureTemplate(t.Context(), labtest.Store(t), cfg); err != nil {
		t.Fatal(err)
	}
	cfg, _ = crashing(t, cfg)
	log, _ := record(t, cfg)
	var first string
	for range 2 {
		r := replay(t, cfg, log)
		script := filepath.Join(t.TempDir(), "backwards.gdb")
		os.WriteFile(script, fmt.Appendf(nil, backwards, program, r.GDB()), 0o600)
		began := time.Now()
		text, err := exec.CommandContext(t.Context(), debugger, "-nx", "-q", "-batch", "-x", script).CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		t.Logf("gdb took %v", time.Since(began).Round(time.Millisecond))
		r.Close()
		out := string(text)
		fatal, back, again := place(out, "fatal"), place(out, "back"), place(out, "again")
		writer, before := place(out, "writer"), place(out, "before")
		switch {
		case fatal.pc == "" || back.pc == fatal.pc:
			t.Error("no step backwards")
		case again != fatal:
			t.Errorf("two steps back and two on lead from %+v to %+v", fatal, again)
		case writer.pc == "" || writer.pc == fatal.pc || !strings.Contains(out, "mapassign_fast64"):
			t.Errorf("no write to the map's flags before %+v: %+v", fatal, writer)
		case before.pc == "" || writer.goroutine == fatal.goroutine && before.goroutine == fatal.goroutine:
			t.Errorf("no other goroutine: %+v, %+v, %+v", fatal, writer, before)
		case first != "" && [...]seen{fatal, back, again, writer, before} != places(first):
			t.Errorf("the second session differs from the first:\n%s", first)
		}
		if t.Failed() {
			t.Fatalf("%s", out)
		}
		first = out
	}
}

type seen struct{ pc, goroutine, flags string }

func place(out, name string) seen {
	m := regexp.MustCompile(`(?m)^` + name + `: pc (\S+) goid (\d+) flags (\d+)$`).FindStringSubmatch(out)
	if m == nil {
		return seen{}
	}
	return seen{m[1], m[2], m[3]}
}

func places(out string) (all [5]seen) {
	for i, name := range []string{"fatal", "back", "again", "writer", "before"} {
		all[i] = place(out, name)
	}
	return all
}

func TestRecordOfAKilledGuestIsNone(t *testing.T) {
	cfg, _ := ghostMap(t)
	cfg.Record = filepath.Join(t.TempDir(), "log")
	cfg.Spec = writers(1)
	g, err := Prepare(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	g.Close()
	if err := g.recorded(&End{Reason: PoweredOff}); err == nil {
		t.Error("a log without its header was accepted")
	}
	if r, err := OpenReplay(t.Context(), cfg, cfg.Record); err == nil {
		r.Close()
		t.Error("a log without its header was replayed")
	}
}
