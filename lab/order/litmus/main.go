// Litmus runs a store-buffering test on two threads, many times: each writes its own
// word and then reads the other's. It runs in the guest, on two vCPUs, and prints for
// each kind of access the rounds, and those in which both threads read the old value.
//
// Arm and Go forbid that for sync/atomic: Store is STLR, Load is LDAR, and a
// CompareAndSwap that fails is LDAXR and no store, or CASAL where the processor has
// that. Of plain accesses both architectures allow it: that it is seen there says
// that the vCPUs did run at the same time, and so that it could have been seen.
package main

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

const (
	passes = 10
	rounds = 10_000 // of each kind in a pass
	// limit is for all, where the vCPUs have to share a core of the host's.
	limit = 3 * time.Second
)

// word is alone in its cache line, and in the next, which processors fetch along.
type word struct {
	v atomic.Uint32
	p uint32
	_ [120]byte
}

// kinds are in the order in which they are printed. Each writes i to mine and says
// whether other is still old.
var kinds = []struct {
	name string
	old  func(mine, other *word, i uint32) bool
}{
	{"plain", plain},
	{"load", func(mine, other *word, i uint32) bool {
		mine.v.Store(i)
		return other.v.Load() != i
	}},
	{"cas", func(mine, other *word, i uint32) bool {
		mine.v.Store(i)
		return !other.v.CompareAndSwap(i, i)
	}},
}

// plain is a function of its own so that nothing is known of its arguments.
//
//go:noinline
func plain(mine, other *word, i uint32) bool {
	mine.p = i
	return other.p != i
}

func main() {
	runtime.GOMAXPROCS(2)
	done := make([]int, len(kinds))
	both := make([]int, len(kinds))
	for p := 0; p < passes; p++ {
		// The kinds take turns: what the host does meanwhile meets all alike.
		for k := range kinds {
			n, b := test(kinds[k].old)
			done[k] += n
			both[k] += b
		}
	}
	for k := range kinds {
		fmt.Println(kinds[k].name, done[k], both[k])
	}
}

// test returns how many rounds there were, and in how many of them both threads read
// the old value.
func test(old func(mine, other *word, i uint32) bool) (done, both int) {
	var words [2]word
	var gate word
	var stale [2]bool
	var last atomic.Bool
	start := time.Now()
	meet := func(n uint32) { // both begin a round at the same moment
		gate.v.Add(1)
		for gate.v.Load() < 2*n {
		}
	}
	run := func(me int) {
		runtime.LockOSThread()
		mine, other := &words[me], &words[1-me]
		for i := uint32(1); !last.Load(); i++ {
			meet(2*i - 1)
			stale[me] = old(mine, other, i)
			if me == 0 && (i == rounds || i%64 == 0 && time.Since(start) > limit/time.Duration(passes*len(kinds))) {
				last.Store(true)
			}
			meet(2 * i)
			if me == 0 {
				done++
				if stale[0] && stale[1] {
					both++
				}
			}
		}
	}
	var threads sync.WaitGroup
	threads.Add(2)
	go func() { defer threads.Done(); run(0) }()
	go func() { defer threads.Done(); run(1) }()
	threads.Wait()
	return done, both
}
