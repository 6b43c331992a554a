// Ghost-map uses one map[uint64]uint64 from several goroutines without a lock.
// Exit status 0 means that nobody noticed; the usual end is the runtime's
// "fatal error: concurrent map writes".
package main

import (
	"flag"
	"fmt"
	"math/rand"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

var (
	goroutines = flag.Int("goroutines", 2, "concurrent writers")
	iterations = flag.Int("iterations", 2000, "writes of each goroutine")
	keySpace   = flag.String("key-space", "fixed", "fixed: the map never grows; growing: each write is a new key")
	access     = flag.String("access", "write", "what all goroutines but the first do: write, read, iterate")
	align      = flag.String("mmap-align", "none", "where the bucket array lies: none, 4KiB, 2MiB, huge")
	populate   = flag.Bool("populate", false, "fault the bucket array in before the race")
	spin       = flag.Duration("spin", 0, "busy wait of each goroutine before its first write")
)

// fixedKeys is the size of the fixed key space: enough buckets for some hundred
// pages, so that first touches fall into the race.
const fixedKeys = 1 << 14

func main() {
	flag.Parse()
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "ghost-map:", err)
		os.Exit(3)
	}
}

func run() error {
	if *keySpace != "fixed" && *keySpace != "growing" {
		return fmt.Errorf("-key-space: want fixed or growing, got %q", *keySpace)
	}
	use, ok := map[string]func(m map[uint64]uint64, rng *rand.Rand){"write": nil, "read": read, "iterate": iterate}[*access]
	if !ok {
		return fmt.Errorf("-access: want write, read or iterate, got %q", *access)
	}
	m := make(map[uint64]uint64, fixedKeys)
	if *keySpace == "growing" {
		m = make(map[uint64]uint64, 64) // so that there is an array to place
	}
	if err := place(m); err != nil {
		return err
	}
	kernel := openLabFault()
	kernel.tell(bucketArrays(m))

	var ready, done sync.WaitGroup
	start := make(chan struct{})
	for g := 0; g < *goroutines; g++ {
		ready.Add(1)
		done.Add(1)
		go func(g int) {
			defer done.Done()
			rng := rand.New(rand.NewSource(time.Now().UnixNano() + int64(g)))
			ready.Done()
			<-start
			for t := time.Now(); time.Since(t) < *spin; {
			}
			switch {
			case g > 0 && use != nil:
				use(m, rng)
			case *keySpace == "fixed":
				writeFixed(m, rng)
			default:
				writeGrowing(m, g, kernel)
			}
		}(g)
	}
	ready.Wait()
	close(start)
	done.Wait()
	fmt.Printf("passed: in %d uses of %d keys none met a write in progress\n", *goroutines**iterations, len(m))
	return nil
}

func writeFixed(m map[uint64]uint64, rng *rand.Rand) {
	for i := 0; i < *iterations; i++ {
		m[uint64(rng.Intn(fixedKeys))] = uint64(i)
	}
}

// writeGrowing tells the kernel of the arrays that the map grows into; looking
// for them now and then is enough, because an array lives for many writes.
func writeGrowing(m map[uint64]uint64, g int, kernel *labFault) {
	for i := 0; i < *iterations; i++ {
		m[uint64(i)*uint64(*goroutines)+uint64(g)] = uint64(i)
		if g == 0 && i&0xff == 0 {
			kernel.tell(bucketArrays(m))
		}
	}
}

// found keeps what readers read from being optimised away.
var found uint64

func read(m map[uint64]uint64, rng *rand.Rand) {
	sum := uint64(0)
	for i := 0; i < *iterations; i++ {
		sum += m[uint64(rng.Intn(fixedKeys))]
	}
	atomic.AddUint64(&found, sum)
}

// iterate takes a step of an iteration for a use.
func iterate(m map[uint64]uint64, _ *rand.Rand) {
	sum := uint64(0)
	for i := 0; i < *iterations; {
		for k := range m {
			sum += k
			if i++; i == *iterations {
				break
			}
		}
		i++ // an empty map has no steps
	}
	atomic.AddUint64(&found, sum)
}
