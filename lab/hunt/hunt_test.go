package hunt

import (
	"math/rand/v2"
	"testing"
	"time"
)

// play hunts with arms of known rates and costs until the budget is spent, and
// returns the tallies and when the first find came.
func play(seed uint64, rates []float64, costs []time.Duration, budget time.Duration) ([]Tally, time.Duration) {
	arms := make([]Arm, len(rates))
	for i := range arms {
		arms[i] = Arm{VCPUs: 1, Shift: i}
	}
	h := New(arms, seed)
	rng := rand.New(rand.NewPCG(seed, 1))
	var spent, first time.Duration
	const batch = 10
	for spent < budget {
		arm, found := h.Next(), 0
		for range batch {
			if rng.Float64() < rates[arm] {
				found++
			}
		}
		h.Done(arm, batch, found, batch*costs[arm])
		spent += batch * costs[arm]
		if found > 0 && first == 0 {
			first = spent
		}
	}
	return h.Tallies(), first
}

func TestHuntGivesItsTimeToWhatPays(t *testing.T) {
	const ms = time.Millisecond
	tallies, _ := play(1, []float64{0, 0.001, 0.3, 0}, []time.Duration{50 * ms, 50 * ms, 60 * ms, 50 * ms}, 5*time.Minute)
	var all time.Duration
	for _, a := range tallies {
		all += a.Spent
	}
	if share := float64(tallies[2].Spent) / float64(all); share < 0.9 {
		t.Errorf("the arm that pays got %.0f %% of the time: %+v", 100*share, tallies)
	}
}

// A rare failure that one arm of many can show must not take much longer than
// trying all in turn.
func TestHuntDoesNotGiveUpAnArm(t *testing.T) {
	rates, costs := make([]float64, 11), make([]time.Duration, 11)
	for i := range costs {
		costs[i] = time.Duration(30+20*i) * time.Millisecond
	}
	rates[10] = 0.005 // the dearest
	var sum time.Duration
	const hunts = 50
	for seed := range uint64(hunts) {
		_, first := play(seed, rates, costs, time.Hour)
		if first == 0 {
			t.Fatalf("hunt %d found nothing in an hour", seed)
		}
		sum += first
	}
	// 200 trials of 230 ms in that arm, and as much time in each of the others.
	inTurn := 200 * 230 * time.Millisecond * 11
	if mean := sum / hunts; mean > 2*inTurn {
		t.Errorf("mean time to the first find %v, all in turn need %v", mean, inTurn)
	}
}

func TestHuntRepeats(t *testing.T) {
	rates, costs := []float64{0.1, 0.01, 0}, []time.Duration{1e7, 1e7, 1e7}
	a, _ := play(3, rates, costs, time.Minute)
	b, _ := play(3, rates, costs, time.Minute)
	for i := range a {
		if a[i] != b[i] {
			t.Errorf("arm %d: %+v and %+v", i, a[i], b[i])
		}
	}
}

// Guests under way at the same time shall not all be of one arm.
func TestGuestsAtOnceSpread(t *testing.T) {
	h := New(Arms(), 1)
	seen := map[int]bool{}
	for range 20 {
		seen[h.Next()] = true
	}
	if len(seen) < 5 {
		t.Errorf("20 guests at once used %d arms", len(seen))
	}
}

// An arm whose guests come to nothing, as where no template can be made, must
// not take the time of the others.
func TestArmWithoutTrialsLosesItsPromise(t *testing.T) {
	const broken = 1
	h := New(Arms()[:4], 1)
	var spent, wasted time.Duration
	for spent < 10*time.Minute {
		arm := h.Next()
		took := 2 * time.Second
		if arm == broken {
			took = 5 * time.Second
			wasted += took
			h.Done(arm, 0, 0, took)
		} else {
			h.Done(arm, 40, 0, took)
		}
		spent += took
	}
	if share := wasted.Seconds() / spent.Seconds(); share > 0.4 {
		t.Errorf("the arm without trials took %.0f %% of the time", 100*share)
	}
}
