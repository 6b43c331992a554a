package runner

// takes says whether the turn's guest is to be held at its failure.
func (t *turn) takes() bool {
	r := t.run
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.holding >= r.Holds {
		return false
	}
	r.holding++
	t.held = true
	return true
}

// holds is called when the guest is held: another one runs in its place.
func (t *turn) holds() {
	r := t.run
	r.mu.Lock()
	defer r.mu.Unlock()
	if t.current != nil {
		r.Held(t.current.n)
	}
	r.extra()
}

// released is called when the guest goes on, and when it has ended.
func (t *turn) released() {
	r := t.run
	r.mu.Lock()
	defer r.mu.Unlock()
	if t.held {
		t.held = false
		r.holding--
	}
}
