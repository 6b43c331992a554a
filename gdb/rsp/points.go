package rsp

import (
	"context"
	"fmt"
	"strconv"
	"strings"
)

// Kind is what a point stops at. The values are those of the protocol's Z
// packet.
type Kind int

const (
	// Breakpoint stops before the instruction at Addr.
	Breakpoint Kind = 1
	// Write, Read and Access stop at accesses to Size bytes from Addr.
	Write  Kind = 2
	Read   Kind = 3
	Access Kind = 4
)

// Point is where a running machine stops.
type Point struct {
	Kind Kind
	Addr uint64
	// Size is in bytes: 4 for a breakpoint of arm64.
	Size int
}

// Insert sets a point.
func (c *Client) Insert(ctx context.Context, p Point) error { return c.point(ctx, 'Z', p) }

// Remove removes a point that was set.
func (c *Client) Remove(ctx context.Context, p Point) error { return c.point(ctx, 'z', p) }

func (c *Client) point(ctx context.Context, set byte, p Point) error {
	return c.ok(ctx, fmt.Sprintf("%c%d,%x,%x", set, p.Kind, p.Addr, p.Size))
}

// Stop says why a machine has stopped.
type Stop struct {
	// Signal is the protocol's: Trap at a point and after a step.
	Signal int
	// Watch is the address of the access that a point has stopped at, where
	// the stub says so.
	Watch uint64
	// CPU is the number of the one that has stopped, from 1, or 0 where the stub
	// does not say so.
	CPU int
}

// Trap is the signal of a machine that has reached a point, or made its step.
const Trap = 5

// Continue runs the machine to the next point, or to where it stops for good.
func (c *Client) Continue(ctx context.Context) (Stop, error) { return c.run(ctx, "c") }

// Step executes one instruction.
func (c *Client) Step(ctx context.Context) (Stop, error) { return c.run(ctx, "s") }

// ContinueBack runs backwards to the last point before this, or to where the
// log begins.
func (c *Client) ContinueBack(ctx context.Context) (Stop, error) { return c.runBack(ctx, "bc") }

// StepBack goes back by one instruction.
func (c *Client) StepBack(ctx context.Context) (Stop, error) { return c.runBack(ctx, "bs") }

func (c *Client) runBack(ctx context.Context, command string) (Stop, error) {
	if !c.backwards {
		return Stop{}, ErrBackwards
	}
	return c.run(ctx, command)
}

func (c *Client) run(ctx context.Context, command string) (Stop, error) {
	reply, err := c.call(ctx, command)
	if err != nil {
		return Stop{}, err
	}
	return parseStop(command, string(reply))
}

// parseStop reads a stop reply: S and a signal, or T, a signal, and what is to
// be known beyond it.
func parseStop(command, reply string) (Stop, error) {
	bad := &Error{command, reply}
	if len(reply) < 3 || reply[0] != 'S' && reply[0] != 'T' {
		return Stop{}, bad
	}
	signal, err := strconv.ParseUint(reply[1:3], 16, 8)
	if err != nil {
		return Stop{}, bad
	}
	stop := Stop{Signal: int(signal)}
	if reply[0] == 'S' {
		return stop, nil
	}
	for field := range strings.SplitSeq(reply[3:], ";") {
		switch key, value, _ := strings.Cut(field, ":"); key {
		case "thread": // as p1.2, of a process, or 2
			n, err := strconv.ParseUint(value[strings.LastIndexByte(value, '.')+1:], 16, 16)
			if err != nil {
				return Stop{}, bad
			}
			stop.CPU = int(n)
		case "watch", "rwatch", "awatch":
			if stop.Watch, err = strconv.ParseUint(value, 16, 64); err != nil {
				return Stop{}, bad
			}
		}
	}
	return stop, nil
}
