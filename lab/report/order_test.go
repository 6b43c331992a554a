package report

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ghostlab/lab/journal"
)

// Each form says a line about the memory order of a run that has one, and none of
// another.
func TestMemoryOrderIsSaid(t *testing.T) {
	base, err := journal.ReadRun("testdata/mixed")
	if err != nil {
		t.Fatal(err)
	}
	fenced := &journal.MemoryOrder{
		Fence:  "29cc50ca7965b0589113117aff8e9e1d3120c78b0f1551269f8aacbdb7b79b3e",
		Fenced: &journal.Litmus{Rounds: 200000, Plain: 100000, Reordered: 5041}, Bare: &journal.Litmus{Rounds: 200000, Forbidden: 10213, Plain: 100000, Reordered: 5310},
	}
	session := func(m *journal.MemoryOrder) journal.Session { return journal.Session{FirstVM: 1, MemoryOrder: m} }
	for name, c := range map[string]struct {
		change  func(r *journal.Run)
		verdict journal.OrderVerdict
		want    []string
	}{
		"kept": {func(r *journal.Run) { r.Sessions = []journal.Session{session(fenced)} }, journal.OrderKept,
			[]string{"no weaker than Arm's: 0 forbidden outcomes in 200000 rounds (10213 in 200000 without the fence)"}},
		"before there was one": {func(r *journal.Run) { r.Sessions = []journal.Session{session(nil)} }, journal.OrderBroken,
			[]string{"NOT as Arm's: this run is from before", "may be the emulator's"}},
		"of two hosts": {func(r *journal.Run) {
			r.Sessions = []journal.Session{session(fenced), session(fenced), session(&journal.MemoryOrder{Fence: fenced.Fence, Why: "this host has one core, on which vCPUs take turns"})}
		}, journal.OrderUnknown, []string{"without the fence); not known to be Arm's", "has one core", "may be the emulator's"}},
		"deterministic": {func(r *journal.Run) { r.Engine = "deterministic" }, "", nil},
		"one vCPU":      {func(r *journal.Run) { r.Guest.VCPUs = 1 }, "", nil},
		"KVM":           {func(r *journal.Run) { r.Guest.Accelerator = "kvm" }, "", nil},
	} {
		t.Run(name, func(t *testing.T) {
			run := *base
			c.change(&run)
			dir := t.TempDir()
			writeRun(t, dir, run)
			s, err := Read(dir)
			if err != nil {
				t.Fatal(err)
			}
			if s.MemoryOrder != nil && s.MemoryOrder.Verdict != c.verdict || s.MemoryOrder == nil && c.verdict != "" {
				t.Errorf("the verdict is %+v, want %s", s.MemoryOrder, c.verdict)
			}
			for _, f := range Formats {
				var out bytes.Buffer
				if err := f.Write(s, &out); err != nil {
					t.Fatal(err)
				}
				text := strings.NewReplacer("&#39;", "'", "&#34;", `"`).Replace(out.String())
				for _, w := range c.want {
					if (f.Name == "json" || f.Name == "junit") && w == "may be the emulator's" {
						continue // the verdict, or the property, says it
					}
					if !strings.Contains(text, w) {
						t.Errorf("%s lacks %q", f.Name, w)
					}
				}
				if c.want == nil && (strings.Contains(text, "Arm's") || strings.Contains(text, "memory_order")) {
					t.Errorf("%s speaks of a memory order", f.Name)
				}
			}
		})
	}
}

// writeRun writes a run of a few trials, with that run.json.
func writeRun(t *testing.T, dir string, run journal.Run) {
	t.Helper()
	trials, err := os.ReadFile("testdata/mixed/trials.jsonl")
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "trials.jsonl"), trials, 0o644)
	}
	var text []byte
	if err == nil {
		text, err = json.Marshal(run)
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "run.json"), text, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}
