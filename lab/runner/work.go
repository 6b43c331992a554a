package runner

const (
	// batchSize is the number of trials in one guest where they share it: enough
	// that starting it, 0.3 s, is a small part, few enough that one guest's
	// condition says little about the whole.
	batchSize = 50
	// stoppingBatch is that number where a result can stop a cell: what is in a
	// guest by then is run, or thrown away.
	stoppingBatch = 10
)

// hire lets one more worker run guests.
func (r *run) hire() {
	r.mu.Lock()
	r.workers++
	r.mu.Unlock()
	r.beside(r.work)
}

// leaves says whether there is a worker too many: guests that were held have gone
// on. The caller then is to be the last guest's.
func (r *run) leaves() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.workers <= r.Parallel+r.holding {
		return false
	}
	r.workers--
	return true
}

// work runs one guest after the other. Where each trial has a guest of its own,
// the next one is prepared while the current one runs.
func (r *run) work() {
	var ahead chan *turn
	barren := map[guestKind]int{} // guests of this worker's in a row without any result
	for last := false; !last; {
		var t *turn
		if ahead != nil {
			t, ahead = <-ahead, nil
		}
		if t == nil {
			t = r.next(true)
		}
		if t == nil {
			return
		}
		if last = r.leaves(); !last && t.kind.single() {
			next := make(chan *turn, 1)
			ahead = next
			go func() { next <- r.next(false) }()
		}
		end := t.play(r.ctx)
		t.barren = barren[t.kind]
		t.finish(end)
		if barren[t.kind]++; t.done > 0 || t.halted {
			barren[t.kind] = 0
			r.gave(t.kind)
		}
		t.tidy()
		if r.hunts != nil {
			r.learn(t)
		}
	}
}

// next prepares a guest for the trials that are next. With wait it waits while
// other workers may still give trials back. It returns nil when there is nothing
// to do.
func (r *run) next(wait bool) *turn {
	r.mu.Lock()
	defer r.mu.Unlock()
	for r.ctx.Err() == nil && r.err == nil {
		if group, ok := r.deck.next(); ok {
			t := r.turn(group)
			r.running++
			r.mu.Unlock()
			t.prepare()
			r.mu.Lock()
			return t
		}
		if r.running == 0 || !wait {
			return nil
		}
		r.idle.Wait()
	}
	return nil
}

// turn takes the trials of a guest from the deck.
func (r *run) turn(group int) *turn {
	r.vms++
	t := &turn{run: r, vm: r.vms, over: r.over}
	t.sink = t.record
	if r.hunts != nil {
		r.aim(t, group)
	} else {
		t.kind = r.kinds[group]
		t.batch = r.take(group, r.batchSize(t.kind))
	}
	t.dir = r.Folder.VM(t.vm)
	if t.kind.single() {
		t.dir = r.Folder.Trial(t.batch[0].n)
	}
	if !t.kind.engine.Deterministic && t.place() != nil {
		t.watch = (*turn).hold
	}
	r.sample(t)
	return t
}

func (r *run) batchSize(k guestKind) int {
	switch {
	case k.single():
		return 1
	case r.Matrix.Stop.Any():
		return stoppingBatch
	}
	return batchSize
}

func (r *run) take(group, most int) []*trial {
	var batch []*trial
	for _, n := range r.deck.take(group, most) {
		batch = append(batch, r.trial(n))
	}
	return batch
}

// over says whether trials that a guest still has are all of cells that have
// been stopped.
func (r *run) over(left []*trial) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, t := range left {
		if !r.deck.stopped[t.cell] {
			return false
		}
	}
	return len(left) > 0
}

// giveBack returns trials to their queue and ends the guest's turn.
func (r *run) giveBack(again []*trial) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, t := range again {
		if t.attempts == 0 {
			r.deck.giveBack(t.n)
			continue
		}
		r.failed[t.n] = t
		r.deck.postpone(t.n)
	}
	r.running--
	r.idle.Broadcast()
}
