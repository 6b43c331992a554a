package vm

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

// consoleMax is how much a guest may print before it is ended: 100 times what
// the noisiest batch of trials needs, and little enough to keep.
const consoleMax = 64 << 20

// consoleKeep is how much of a trial's part of the console is kept: four times
// what a program can show there.
const consoleKeep = 256 << 10

// console follows the file that QEMU writes the serial console to, and keeps a
// copy in which each line carries the host's time.
type console struct {
	raw   *os.File
	log   *os.File
	start time.Time

	size  int64
	past  int64  // where the last trial's part ends
	fresh bool   // the next byte begins a line
	buf   []byte // for reading
}

func openConsole(raw, log string) (*console, error) {
	r, err := os.OpenFile(raw, os.O_RDONLY|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	l, err := os.Create(log)
	if err != nil {
		r.Close()
		return nil, err
	}
	return &console{raw: r, log: l, start: time.Now(), fresh: true, buf: make([]byte, 32<<10)}, nil
}

// follow copies what is new.
func (c *console) follow() error {
	for {
		n, err := c.raw.Read(c.buf)
		c.size += int64(n)
		if c.size <= consoleMax {
			if err := c.copy(c.buf[:n]); err != nil {
				return fmt.Errorf("write console log: %w", err)
			}
		}
		if err == io.EOF || n == 0 {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read console: %w", err)
		}
	}
}

func (c *console) copy(b []byte) error {
	if len(b) == 0 {
		return nil
	}
	var out bytes.Buffer
	stamp := fmt.Sprintf("[%10.6f] ", time.Since(c.start).Seconds())
	for line := range bytes.Lines(b) {
		if c.fresh {
			out.WriteString(stamp)
		}
		out.Write(line)
		c.fresh = line[len(line)-1] == '\n'
	}
	_, err := c.log.Write(out.Bytes())
	return err
}

func (c *console) flooded() bool { return c.size > consoleMax }

// end returns the last n bytes of what the guest printed.
func (c *console) end(n int64) []byte { return c.from(max(0, c.size-n)) }

func (c *console) from(at int64) []byte {
	b := make([]byte, c.size-at)
	n, _ := c.raw.ReadAt(b, at)
	return b[:n]
}

// trial returns the part of a trial that has ended, from its first line up to
// its last, at most the end of it that is kept. It does not depend on when the
// host looks, and how much of later trials it sees then.
func (c *console) trial(first, last string) []byte {
	b := c.from(c.past)
	from, to := max(0, bytes.Index(b, []byte(first))), len(b)
	if i := bytes.Index(b[from:], []byte(last)); i >= 0 {
		to = from + i
	}
	c.past += int64(to)
	return b[max(from, to-consoleKeep):to]
}

// rest returns what came after the last trial that has ended, at most the end of
// it that is kept.
func (c *console) rest() []byte { return c.from(max(c.past, c.size-consoleKeep)) }

func (c *console) close() error { return errors.Join(c.raw.Close(), c.log.Close()) }
