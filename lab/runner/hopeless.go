package runner

import (
	"fmt"
	"slices"
)

// hopelessError says that guests of a kind are not tried any more.
type hopelessError struct{ last error }

func (e *hopelessError) Error() string {
	return fmt.Sprintf("%d guests in a row gave no result: %v", attempts, e.last)
}

func (e *hopelessError) Unwrap() error { return e.last }

// hopeless gives up the kind of guest after a row of them without any result: the
// fourth will not be better.
func (t *turn) hopeless(err error) bool {
	if t.done > 0 || t.barren+1 < attempts {
		return false
	}
	t.run.giveUpKind(t.kind, &hopelessError{err})
	return true
}

// giveUpKind ends the run, or leaves out the trials of a kind of guest where others
// give results: those are worth having.
func (r *run) giveUpKind(k guestKind, err *hopelessError) {
	r.mu.Lock()
	delete(r.fruitful, k)
	others := len(r.fruitful) > 0 && r.hunts == nil
	if others {
		r.hopeless[k] = err
	}
	r.mu.Unlock()
	if !others {
		r.fail(err)
		return
	}
	r.notice("trials are left out: " + err.Error())
}

// given is the error that a kind of guest was given up for.
func (r *run) given(k guestKind) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.hopeless[k]; err != nil {
		return err
	}
	return nil
}

// gave remembers that a kind of guest gives results.
func (r *run) gave(k guestKind) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.fruitful[k] = true
}

// giveUp records the turn's trials as those of a kind that was given up.
func (t *turn) giveUp() {
	for _, tr := range slices.Clone(t.left) {
		tr.last = t.err
		t.take(tr)
		t.run.infra(tr, t.vm)
	}
}
