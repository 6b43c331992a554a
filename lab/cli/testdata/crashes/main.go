// Crashes ends in one of several ways, each of which another goroutine has
// brought about.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"sync"
)

func main() {
	which := flag.String("crash", "nil", "")
	flag.Parse()
	crash, ok := map[string]func(){
		"nil": vanish, "freed": garble, "deadlock": deadlock, "exit": leave, "unmapped": unmap, "read": refill, "panic": blame, "none": func() {},
		"index": shrink, "close": closeTwice, "unlock": unlockTwice, "invariant": unequal, "stall": stall, "zombie": revive,
	}[*which]
	if !ok {
		fmt.Println("no such crash")
		os.Exit(1)
	}
	crash()
}

type node struct {
	next  *node
	value int
}

var (
	shared *node
	total  int
)

// vanish: a pointer becomes nil between the look at it and its use.
func vanish() {
	shared = &node{value: 1}
	go clear()
	for {
		if shared != nil {
			total += sum(head())
		}
	}
}

//go:noinline
func clear() {
	for {
		shared = nil // the culprit
		shared = &node{value: 2}
	}
}

//go:noinline
func head() *node { return shared }

//go:noinline
func sum(n *node) int {
	return pad(n.value) // the victim
}

//go:noinline
func pad(v int) int { return v + 1 }

// garble: a number is written where another goroutine expects a pointer.
func garble() {
	list := &node{}
	list.next = list
	go spoil(list)
	for n := list; ; n = follow(n) {
		total++
	}
}

//go:noinline
func follow(n *node) *node {
	return n.next.next // the victim
}

// deadlock: two mutexes in two orders.
func deadlock() {
	var a, b sync.Mutex
	var done sync.WaitGroup
	for _, order := range [][2]*sync.Mutex{{&a, &b}, {&b, &a}} {
		order := order
		done.Add(1)
		go func() {
			defer done.Done()
			for i := 0; i < 100_000; i++ {
				order[0].Lock()
				order[1].Lock()
				total++
				order[1].Unlock()
				order[0].Unlock()
			}
		}()
	}
	done.Wait()
}

// leave: a status other than zero, without a word of the runtime's.
func leave() {
	c := make(chan int)
	go func() { c <- 3 }()
	os.Exit(<-c)
}

func blame() {
	c := make(chan error)
	go func() { c <- errors.New("somebody else's fault") }()
	panic(<-c)
}
