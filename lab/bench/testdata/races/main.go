// Races are five bugs from easy to rare, for hunts. Each ends with exit status
// 3 and a word when it shows.
package main

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
)

func main() {
	which := flag.String("race", "counter", "")
	flag.Parse()
	race, ok := map[string]func(){
		"counter": counter, "once": once, "pair": pair, "pool": pool, "order": order,
	}[*which]
	if !ok {
		fmt.Println("no such race")
		os.Exit(1)
	}
	race()
}

// together runs n functions at the same time and waits for them.
func together(n int, f func(i int)) {
	var start, done sync.WaitGroup
	start.Add(1)
	for i := 0; i < n; i++ {
		done.Add(1)
		go func(i int) {
			defer done.Done()
			start.Wait()
			f(i)
		}(i)
	}
	start.Done()
	done.Wait()
}

func shows(what string) {
	fmt.Println("the race shows:", what)
	os.Exit(3)
}

var sink int

// counter: a read and a write that should have been one.
func counter() {
	var n int
	together(2, func(int) {
		for i := 0; i < 20000; i++ {
			n++
		}
	})
	if n != 40000 {
		shows("lost updates")
	}
}

// once: two goroutines find the flag unset and both do what only one may.
func once() {
	for round := 0; round < 50; round++ {
		var did bool
		var times atomic.Int32
		together(2, func(int) {
			if !did {
				did = true
				times.Add(1)
			}
		})
		if times.Load() > 1 {
			shows("done twice")
		}
	}
}

// pair: a reader between the writes of two words that belong together.
func pair() {
	var a, b atomic.Int64
	var stop atomic.Bool
	together(2, func(i int) {
		if i == 0 {
			for k := int64(1); k < 60; k++ {
				a.Store(k)
				b.Store(k)
				work(200)
			}
			stop.Store(true)
			return
		}
		for !stop.Load() {
			if x, y := a.Load(), b.Load(); x > y {
				shows("one without the other")
			}
			work(100)
		}
	})
}

// pool: an object is given back a few instructions before its last use.
func pool() {
	type object struct{ owner, uses int }
	var mu sync.Mutex
	free := []*object{{}, {}}
	together(2, func(id int) {
		for i := 0; i < 40; i++ {
			mu.Lock()
			o := free[len(free)-1]
			free = free[:len(free)-1]
			mu.Unlock()
			o.owner = id
			work(300)
			mu.Lock()
			free = append(free, o)
			mu.Unlock()
			if o.owner != id { // the last use
				shows("used by two")
			}
		}
	})
}

// order: what is announced is written two instructions later.
func order() {
	for round := 0; round < 30; round++ {
		var ready, value atomic.Int32
		together(2, func(i int) {
			if i == 0 {
				work(500)
				ready.Store(1)
				value.Store(1)
				return
			}
			for k := 0; k < 20 && ready.Load() == 0; k++ {
				work(50)
				runtime.Gosched()
			}
			if ready.Load() == 1 && value.Load() == 0 {
				shows("announced too early")
			}
		})
	}
}

func work(n int) {
	for i := 0; i < n; i++ {
		sink += i // a race of its own, which nobody looks at
	}
}
