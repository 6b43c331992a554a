package bench

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"ghostlab/images"
	"ghostlab/lab/journal"
	"ghostlab/lab/labtest"
	"ghostlab/lab/matrix"
	"ghostlab/lab/qemu"
	"ghostlab/lab/runner"
	"ghostlab/lab/vm"
	"ghostlab/scenarios"
)

// giveUp is how long a search for one failure may take. A search that finds
// nothing counts as long as that, which flatters it.
const giveUp = 60 * time.Second

// races go from easy to rare for the parallel engine.
var races = []struct {
	name, scenario, dir, goVersion string
	values                         map[string]string
}{
	{"map", "ghost-map", "../../scenarios", labtest.Go, map[string]string{"iterations": "100"}},
	{"counter", "races", "testdata", labtest.Go, map[string]string{"race": "counter"}},
	{"pair", "races", "testdata", labtest.Go, map[string]string{"race": "pair"}},
	{"pool", "races", "testdata", labtest.Go, map[string]string{"race": "pool"}},
	{"once", "races", "testdata", labtest.Go, map[string]string{"race": "once"}},
	{"order", "races", "testdata", labtest.Go, map[string]string{"race": "order"}},
	{"split-sp", "split-sp", "../../scenarios", "1.24.5", nil},
}

// effort is what a search took to its first failure.
type effort struct {
	trials int
	time   time.Duration // giveUp where nothing was found
}

func (e effort) String() string {
	if e.time == giveUp {
		return fmt.Sprintf("nothing in %v (%d trials)", giveUp, e.trials)
	}
	return fmt.Sprintf("%v (%d trials)", e.time.Round(10*time.Millisecond), e.trials)
}

// BenchmarkHunt measures the effort to the first failure of a hunt, of the
// parallel engine with 2 vCPUs, and of a loop that runs the program again and
// again in the deterministic guest of 2 vCPUs, with the schedules that it has
// when nobody hunts.
func BenchmarkHunt(b *testing.B) {
	version, err := qemu.Version(b.Context(), "qemu-system-aarch64")
	if err != nil {
		b.Fatal(err)
	}
	for _, r := range races {
		s, err := scenarios.Find(r.dir, r.scenario)
		if err != nil {
			b.Fatal(err)
		}
		img, err := images.Ensure(b.Context(), labtest.Store(b), labtest.Kernel(b), s.Program(), r.goVersion)
		if err != nil {
			b.Fatal(err)
		}
		search := func(engine string, hunted bool, seed uint64) effort {
			m := &matrix.Matrix{Scenario: s, Trials: 1_000_000, Timeout: s.Timeout, Seed: seed, Shift: matrix.DefaultShift, Engine: engine, Isolation: matrix.Process}
			guests := 1 // of two vCPUs
			if hunted {
				m.Hunted()
				guests = 2
			}
			folder, err := journal.Create(b.TempDir(), journal.Run{ID: "bench", Cells: m.Cells(), Trials: m.Trials, Commands: runner.Commands(s, m.Cells()), Kernels: make([]journal.Kernel, 1)})
			if err != nil {
				b.Fatal(err)
			}
			defer folder.Close()
			trials := 0
			ctx, cancel := context.WithTimeout(b.Context(), giveUp)
			defer cancel()
			start := time.Now()
			err = runner.Run(ctx, runner.Job{
				Matrix: m, Cells: m.Cells(), Commands: []journal.Command{runner.Command(s, r.values, nil)}, Go: r.goVersion, Folder: folder,
				Image: map[string]*images.Image{images.Name("", r.goVersion): img}, Store: labtest.Store(b), Parallel: guests, Enough: 1,
				Machine: vm.Config{QEMU: "qemu-system-aarch64", Version: version, CPU: "cortex-a57", VCPUs: 2, Memory: 512},
				Trial:   func(journal.Trial) { trials++ },
			})
			if errors.Is(err, context.DeadlineExceeded) {
				return effort{trials, giveUp}
			}
			if err != nil {
				b.Fatal(err)
			}
			return effort{trials, time.Since(start)}
		}
		hunt := func(seed uint64) effort { return search(matrix.Deterministic, true, seed) }
		hunt(1) // makes the templates
		hunts := []effort{hunt(10), hunt(11), hunt(12)}
		slices.SortFunc(hunts, func(a, b effort) int { return cmp.Compare(a.time, b.time) })
		parallel, loop := search(matrix.Parallel, false, 1), search(matrix.Deterministic, false, 1)
		b.Logf("%s: hunt %v (median of 3), parallel %v, loop %v", r.name, hunts[1], parallel, loop)
		// What the parallel engine shows in seconds is not worth a hunt; the
		// rarest is.
		if r.name == races[len(races)-1].name {
			ratio(b, "hunt-"+r.name, hunts[1].time.Seconds()/parallel.time.Seconds(), 0.1)
		}
	}
}

// BenchmarkSeeds shows that seeds explore: in how many different places of the
// program's time 200 trials of one race have crashed.
func BenchmarkSeeds(b *testing.B) {
	s, cfg := race(b)
	const n = 200
	j := job(b, s, cfg, matrix.Deterministic, matrix.Process, n)
	points, crashes := map[time.Duration]bool{}, 0
	j.Trial = func(t journal.Trial) {
		if runner.Failed(t) {
			crashes++
			points[t.Duration] = true
		}
	}
	run(b, j)
	b.Logf("%d seeds: %d crashes at %d points", n, crashes, len(points))
	ratio(b, "seeds-repeated", 1-float64(len(points))/float64(max(crashes, 1)), 0.1)
}
