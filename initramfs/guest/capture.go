//go:build linux

package main

import (
	"fmt"
	"os"
	"syscall"

	"ghostlab/initramfs/wire"
)

const (
	// keepHead and keepTail bytes of the output are kept: what led to a crash
	// is often at the beginning, the crash itself at the end.
	keepHead = wire.MaxOutput / 4
	keepTail = wire.MaxOutput - keepHead - 256 // 256 for the line in between
	// showMax bytes of it are shown on the console as they come. The console
	// is slow, and a program that floods it must not take the guest along.
	showMax = 64 << 10
)

// capture reads what a program writes, keeps its two ends and shows the first.
type capture struct {
	end  int // the pipe's end for the program's stdout and stderr
	done chan struct{}

	head, tail []byte // tail is a ring of keepTail bytes once it is full
	at         int    // where the ring continues
	written    int64
}

func newCapture() (*capture, error) {
	var p [2]int
	if err := syscall.Pipe2(p[:], syscall.O_CLOEXEC); err != nil {
		return nil, fmt.Errorf("pipe: %w", err)
	}
	c := &capture{end: p[1], done: make(chan struct{})}
	go func() {
		defer close(c.done)
		defer syscall.Close(p[0])
		buf := make([]byte, 64<<10)
		for {
			n, err := syscall.Read(p[0], buf)
			if err == syscall.EINTR {
				continue
			}
			if n <= 0 || err != nil {
				return
			}
			c.show(buf[:n])
			c.keep(buf[:n])
		}
	}()
	return c, nil
}

func (c *capture) show(b []byte) {
	left := showMax - c.written
	switch {
	case left <= 0:
		return
	case int64(len(b)) < left:
		os.Stdout.Write(b)
	default:
		os.Stdout.Write(b[:left])
		fmt.Printf("\nlab: more output, not shown here\n")
	}
}

func (c *capture) keep(b []byte) {
	c.written += int64(len(b))
	if n := min(keepHead-len(c.head), len(b)); n > 0 {
		c.head = append(c.head, b[:n]...)
		b = b[n:]
	}
	for len(b) > 0 {
		if len(c.tail) < keepTail {
			n := min(keepTail-len(c.tail), len(b))
			c.tail = append(c.tail, b[:n]...)
			b = b[n:]
			continue
		}
		n := copy(c.tail[c.at:], b)
		c.at = (c.at + n) % keepTail
		b = b[n:]
	}
}

// finish waits for the last writer to close its end and returns what was kept
// and how much was written.
func (c *capture) finish() ([]byte, int64) {
	<-c.done
	out := c.head
	if missing := c.written - int64(len(c.head)+len(c.tail)); missing > 0 {
		out = fmt.Appendf(out, "\nlab: %d bytes of output are not kept\n", missing)
	}
	out = append(out, c.tail[c.at:]...)
	return append(out, c.tail[:c.at]...), c.written
}
