// Package rsp speaks gdb's remote serial protocol with a stub such as QEMU's,
// as a debugger does: registers, memory, break- and watchpoints, and running
// forwards and backwards. What the bytes mean is for others to say.
package rsp

import (
	"bufio"
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"
)

// Client is a connection to a stub whose machine is stopped. It is not safe for
// concurrent use.
type Client struct {
	conn net.Conn
	in   *bufio.Reader
	// room is the most data bytes of one packet.
	room      int
	backwards bool
	registers map[string]int // names of the target's description to numbers
}

// Dial connects to a stub's unix socket and agrees on the protocol.
func Dial(ctx context.Context, socket string) (*Client, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "unix", socket)
	if err != nil {
		return nil, fmt.Errorf("gdb stub: %w", err)
	}
	c := &Client{conn: conn, in: bufio.NewReaderSize(conn, 64<<10), room: 1 << 10}
	if err := c.negotiate(ctx); err != nil {
		conn.Close()
		return nil, err
	}
	return c, nil
}

// Detach lets the machine go on. It names the machine, process 1: a QEMU that a gdb has
// told once of processes wants that of all who come after (gdbstub.c, handle_detach).
func (c *Client) Detach(ctx context.Context) error { return c.ok(ctx, "D;1") }

// Close hangs up. The machine stays as it is.
func (c *Client) Close() error { return c.conn.Close() }

// hello asks what the stub can do.
const (
	hello       = "qSupported:swbreak+;hwbreak+;vContSupported+"
	helloAnswer = "PacketSize="
)

// Resync is for after the machine was moved by others: it skips what the stub
// has said about that, if it did.
func (c *Client) Resync(ctx context.Context) error {
	reply, err := c.hello(ctx)
	if err == nil && !bytes.HasPrefix(reply, []byte(helloAnswer)) {
		err = &Error{hello, string(reply)}
	}
	return err
}

// hello returns the stub's features. A stub that has just stopped the machine, for us
// or by itself, says so before it answers.
func (c *Client) hello(ctx context.Context) ([]byte, error) {
	reply, err := c.call(ctx, hello)
	for err == nil {
		if _, other := parseStop(hello, string(reply)); other != nil {
			break
		}
		reply, err = c.receive()
	}
	return reply, err
}

func (c *Client) negotiate(ctx context.Context) error {
	features, err := c.hello(ctx)
	if err != nil {
		return err
	}
	for f := range strings.SplitSeq(string(features), ";") {
		if size, ok := strings.CutPrefix(f, helloAnswer); ok {
			if n, err := strconv.ParseUint(size, 16, 20); err == nil && n > 64 {
				c.room = int(n) - 8
			}
		}
		c.backwards = c.backwards || f == "ReverseContinue+"
	}
	c.registers, err = c.describe(ctx)
	return err
}

// Backwards says whether the machine can run backwards.
func (c *Client) Backwards() bool { return c.backwards }

// Error is a stub's refusal of a command.
type Error struct{ Command, Reply string }

func (e *Error) Error() string {
	if e.Reply == "" {
		return fmt.Sprintf("the gdb stub does not know the command %.40q", e.Command)
	}
	return fmt.Sprintf("the gdb stub answers %.40q to %.40q", e.Reply, e.Command)
}

// call sends a command and returns the answer. The context ends the connection
// with it: a stub that has not answered cannot be asked anything else.
func (c *Client) call(ctx context.Context, command string) ([]byte, error) {
	stop := context.AfterFunc(ctx, func() { c.conn.SetDeadline(time.Now()) })
	defer stop()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	reply, err := c.exchange([]byte(command))
	if err == nil {
		return reply, nil
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	return nil, fmt.Errorf("gdb stub: %w", err)
}

func (c *Client) exchange(command []byte) ([]byte, error) {
	if _, err := c.conn.Write(encode(command)); err != nil {
		return nil, err
	}
	return c.receive()
}

// receive reads a packet and acknowledges it: QEMU knows no QStartNoAckMode.
func (c *Client) receive() ([]byte, error) {
	packet, err := decode(c.in)
	if err == nil {
		_, err = c.conn.Write([]byte("+"))
	}
	return packet, err
}

func (c *Client) ok(ctx context.Context, command string) error {
	reply, err := c.call(ctx, command)
	if err == nil && string(reply) != "OK" {
		err = &Error{command, string(reply)}
	}
	return err
}

// data is a call whose answer is bytes in hexadecimal.
func (c *Client) data(ctx context.Context, command string) ([]byte, error) {
	reply, err := c.call(ctx, command)
	if err != nil {
		return nil, err
	}
	b := make([]byte, hex.DecodedLen(len(reply)))
	// An E and an odd number of digits is an error, not data.
	if n, err := hex.Decode(b, reply); err != nil || n == 0 || len(reply)%2 != 0 {
		return nil, &Error{command, string(reply)}
	}
	return b, nil
}

// Select makes registers and memory those of a CPU, from 1.
func (c *Client) Select(ctx context.Context, cpu int) error {
	return c.ok(ctx, fmt.Sprintf("Hg%x", cpu))
}

// Registers returns the general registers as the target stores them.
func (c *Client) Registers(ctx context.Context) ([]byte, error) { return c.data(ctx, "g") }

// Register returns a register that the target's description names, such as
// TTBR0_EL1.
func (c *Client) Register(ctx context.Context, name string) ([]byte, error) {
	n, ok := c.registers[name]
	if !ok {
		return nil, &Error{"register " + name, ""}
	}
	return c.data(ctx, fmt.Sprintf("p%x", n))
}

// ReadMemory reads virtual memory as the stopped CPU sees it.
func (c *Client) ReadMemory(ctx context.Context, addr uint64, buf []byte) error {
	for len(buf) > 0 {
		n := min(len(buf), c.room/2)
		b, err := c.data(ctx, fmt.Sprintf("m%x,%x", addr, n))
		if err != nil {
			return err
		}
		if len(b) > n {
			return &Error{fmt.Sprintf("m%x,%x", addr, n), fmt.Sprintf("%d bytes", len(b))}
		}
		copy(buf, b)
		buf, addr = buf[len(b):], addr+uint64(len(b))
	}
	return nil
}

// Monitor carries out a command of the emulator's own monitor and returns what
// that says.
func (c *Client) Monitor(ctx context.Context, command string) (string, error) {
	reply, err := c.call(ctx, "qRcmd,"+hex.EncodeToString([]byte(command)))
	var said []byte
	for err == nil {
		// Output comes in O packets before the answer.
		text, isOutput := bytes.CutPrefix(reply, []byte("O"))
		if !isOutput || string(reply) == "OK" {
			break
		}
		b := make([]byte, hex.DecodedLen(len(text)))
		if _, err = hex.Decode(b, text); err == nil {
			said = append(said, b...)
			reply, err = c.receive()
		}
	}
	if err == nil && string(reply) != "OK" {
		err = &Error{"monitor " + command, string(reply)}
	}
	return string(said), err
}

// ErrBackwards is returned where a machine is to run backwards and cannot.
var ErrBackwards = errors.New("this machine cannot run backwards: it follows no log")
