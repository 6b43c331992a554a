package main

import "sync"

// Ways to end of which the runtime or the program itself says what is wrong.

type ring struct {
	pad   int
	items []int
}

// shrink: a slice becomes shorter between the look at its length and its use.
func shrink() {
	r := &ring{items: make([]int, 8)}
	go cut(r)
	for {
		for i := 0; i < len(r.items); i++ {
			total += at(r, i)
		}
	}
}

//go:noinline
func cut(r *ring) {
	for {
		r.items = r.items[:4] // the culprit
		r.items = r.items[:8]
	}
}

//go:noinline
func at(r *ring, i int) int {
	return r.items[i] // the victim
}

type session struct {
	sync.Mutex
	done chan int
	open bool
}

// closeTwice: two goroutines close a channel, and both look before.
func closeTwice() {
	for {
		s := &session{done: make(chan int), open: true}
		var all sync.WaitGroup
		for i := 0; i < 3; i++ {
			all.Add(1)
			go func() {
				defer all.Done()
				end(s)
			}()
		}
		all.Wait()
	}
}

//go:noinline
func end(s *session) {
	if s.open {
		for i := 0; i < 500; i++ { // says goodbye
			total++
		}
		s.open = false
		close(s.done) // the victim, and the culprit
	}
}

// unlockTwice: another goroutine unlocks what it has not locked.
func unlockTwice() {
	s := &session{}
	go func() {
		for {
			release(s)
		}
	}()
	for {
		s.Lock()
		s.open = true
		total++
		release(s)
	}
}

//go:noinline
func release(s *session) {
	if s.open {
		s.open = false
		s.Unlock() // the victim, and the culprit
	}
}

// unequal: the program itself finds two numbers apart that belong together.
func unequal() {
	var pair [2]float64
	go func() {
		for {
			grow(&pair, 0)
			grow(&pair, 1)
		}
	}()
	for {
		if got := pair; got[0] != got[1] {
			panic("the two are not equal") // the victim
		}
	}
}

//go:noinline
func grow(pair *[2]float64, i int) {
	pair[i]++ // the culprit
}

// stall: one of three has forgotten to count down, and the first waits for zero.
func stall() {
	left := 3
	for i := 0; i < 2; i++ {
		go count(&left)
	}
	for !none(&left) { // the victim
	}
}

//go:noinline
func count(left *int) {
	*left-- // the culprit
}

//go:noinline
func none(left *int) bool { return *left == 0 } // the victim
