package host

import (
	"fmt"
	"os"
	"strconv"
	"sync"

	"golang.org/x/sys/unix"
)

// pinned is the number of processes that Pin keeps on each CPU.
var pinned = struct {
	sync.Mutex
	on map[int]int
}{on: map[int]int{}}

// Pin keeps all threads of a process on one CPU, of those that lab may use the one with
// the fewest. Call release when the process has ended. Where the host does not let it,
// nothing changes.
func Pin(pid int) (release func()) {
	var mine unix.CPUSet
	if unix.SchedGetaffinity(0, &mine) != nil {
		return func() {}
	}
	pinned.Lock()
	defer pinned.Unlock()
	best := -1
	for cpu := range len(mine) * strconv.IntSize {
		if mine.IsSet(cpu) && (best < 0 || pinned.on[cpu] < pinned.on[best]) {
			best = cpu
		}
	}
	if best < 0 {
		return func() {}
	}
	pinned.on[best]++
	var one unix.CPUSet
	one.Set(best)
	threads, _ := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
	for _, t := range threads {
		if tid, err := strconv.Atoi(t.Name()); err == nil {
			unix.SchedSetaffinity(tid, &one)
		}
	}
	return sync.OnceFunc(func() {
		pinned.Lock()
		defer pinned.Unlock()
		pinned.on[best]--
	})
}
