package runner

import (
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"ghostlab/lab/journal"
	"ghostlab/lab/matrix"
	"ghostlab/lab/vm"
)

// checks are the deterministic guests that will be run a second time.
type checks struct {
	mu      sync.Mutex
	guests  []*turn
	sampled map[int]bool
	first   map[int]journal.Trial
}

// sample decides whether a guest is one of the checked, and remembers it. The
// choice is the trial's own, so that it does not depend on who came first.
func (r *run) sample(t *turn) {
	c := &r.checks
	if !t.kind.engine.Deterministic || r.Verify <= 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.guests) > 0 && !matrix.Chosen(t.batch[0].schedule.Seed, r.Verify) {
		return
	}
	if c.sampled == nil {
		c.sampled, c.first = map[int]bool{}, map[int]journal.Trial{}
	}
	c.guests = append(c.guests, t)
	for _, tr := range t.batch {
		c.sampled[tr.n] = true
	}
}

// keep remembers the record of a checked trial.
func (c *checks) keep(t journal.Trial) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.sampled[t.N] && t.Digest != "" {
		c.first[t.N] = t
	}
}

// sampleEarlier samples guests of sessions that were ended before theirs were checked.
// Where nothing else is checked it takes at least one.
func (r *run) sampleEarlier() error {
	if r.Verify <= 0 || r.Matrix.Search == matrix.Hunt || r.Folder.VMs() == 0 {
		return nil // a new run has none
	}
	c := &r.checks
	record := r.Folder.Run()
	chosen := map[int][]journal.Trial{} // by guest
	var any []journal.Trial             // of one guest, in case none is chosen
	if _, err := journal.Open(r.Folder.Dir(), func(t journal.Trial) {
		switch {
		case t.Digest == "" || t.VM > r.Folder.VMs() || record.Verified(t.VM):
		// Of trials that share a guest the first decides, and comes first.
		case chosen[t.VM] != nil || t.Position == 1 && matrix.Chosen(t.Schedule.Seed, r.Verify):
			chosen[t.VM] = append(chosen[t.VM], t)
		case any == nil || any[0].VM == t.VM:
			any = append(any, t)
		}
	}); err != nil {
		return err
	}
	if len(c.guests) == 0 && len(chosen) == 0 && any != nil {
		chosen[any[0].VM] = any
	}
	if c.first == nil {
		c.first = map[int]journal.Trial{}
	}
	for _, vm := range slices.Sorted(maps.Keys(chosen)) {
		trials := chosen[vm]
		t, err := r.pastTurn(r.Folder.Dir(), trials[0])
		if err != nil {
			return err
		}
		c.guests = append(c.guests, t)
		for _, first := range trials {
			c.first[first.N] = first
		}
	}
	return nil
}

// verify runs the sampled guests again and compares. What differs is kept, and
// is an error: the promise of the engine did not hold. What was checked is
// recorded however it ends.
func (r *run) verify() error {
	if err := r.sampleEarlier(); err != nil {
		return err
	}
	if len(r.checks.guests) == 0 || r.ctx.Err() != nil {
		return r.ctx.Err()
	}
	scratch, remove, err := vm.Scratch()
	if err != nil {
		return err
	}
	defer remove()
	var result journal.Verification
	guests, ctx := errgroup.WithContext(r.ctx)
	guests.SetLimit(r.Parallel)
	for _, t := range r.checks.guests {
		guests.Go(func() error {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return r.check(t, filepath.Join(scratch, fmt.Sprint(t.vm)), &result)
		})
	}
	err = guests.Wait()
	slices.Sort(result.Diverged)
	if err := errors.Join(err, r.Folder.AddVerification(result)); err != nil {
		return err
	}
	if len(result.Diverged) > 0 {
		return &DivergedError{result}
	}
	return nil
}

// check runs a guest again, into dir, and adds to the result, which others add to as
// well.
func (r *run) check(t *turn, dir string, result *journal.Verification) error {
	second, err := t.again(dir, 0)
	r.checks.mu.Lock()
	defer r.checks.mu.Unlock()
	if infrastructural(err) {
		// The first results stand.
		r.notice(fmt.Sprintf("guest %d could not be run again: %v", t.vm, err))
		result.Unchecked += len(t.batch)
		return nil
	}
	if err != nil {
		return err
	}
	for _, tr := range t.batch {
		first, ok := r.checks.first[tr.n]
		if !ok || first.VM != t.vm {
			continue // another guest has seen it to its end
		}
		result.Checked++
		again := second[tr.n]
		if again.Digest == first.Digest {
			result.Identical++
			continue
		}
		result.Diverged = append(result.Diverged, tr.n)
		if err := r.Folder.KeepAgain(tr.n, again.Trial, r.collected(again.Trial, again.Evidence)); err != nil {
			return err
		}
	}
	return nil
}

// DivergedError says that deterministic trials did not repeat: an error of the
// lab, whatever the trials say.
type DivergedError struct{ journal.Verification }

func (e *DivergedError) Error() string {
	var which []string
	for _, n := range e.Diverged {
		which = append(which, fmt.Sprint(n))
	}
	return fmt.Sprintf("the deterministic engine broke its promise: identical %d/%d; trials that differed: %s",
		e.Identical, e.Checked, strings.Join(which, ", "))
}

// Hint says what to do about it.
func (e *DivergedError) Hint() string {
	return "both records are kept: trials/<n>/ and trials/<n>/again/; please report them with run.json"
}
