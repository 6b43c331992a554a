// Atomics does little but what sync/atomic and sync.Mutex offer, on two threads.
package main

import (
	"fmt"
	"sync"
	"sync/atomic"
)

const rounds = 200_000

var (
	flags   [2]atomic.Uint64
	shared  atomic.Uint64
	mutex   sync.Mutex
	guarded int
)

func main() {
	var threads sync.WaitGroup
	for me := 0; me < 2; me++ {
		threads.Add(1)
		go func(me int) {
			defer threads.Done()
			for i := uint64(1); i <= rounds; i++ {
				flags[me].Store(i)
				seen := flags[1-me].Load()
				shared.CompareAndSwap(shared.Load(), seen)
				shared.Add(1)
				mutex.Lock()
				guarded++
				mutex.Unlock()
			}
		}(me)
	}
	threads.Wait()
	fmt.Println(guarded)
}
