package qemu

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/digitalocean/go-qemu/qmp"
)

// Monitor is a QMP connection on a unix socket. It implements go-qemu's
// qmp.Monitor, whose own SocketMonitor fails on replies over 64 KiB and blocks
// when nobody reads its events.
type Monitor struct {
	// Patience is how long QEMU may take to answer. Zero means a minute.
	Patience time.Duration

	socket string

	conn    *net.UnixConn
	greet   qmp.Version
	run     sync.Mutex // one command at a time
	replies chan []byte
	closed  chan struct{} // by the reader, at its end

	mu      sync.Mutex
	err     error // why the reader ended
	streams []*stream
}

var _ qmp.Monitor = (*Monitor)(nil)

// ErrDisconnected is returned by Run when QEMU has ended or hung up, and after it
// has not answered.
var ErrDisconnected = errors.New("qmp: disconnected")

// ErrSilent is returned when QEMU runs and does not answer.
var ErrSilent = errors.New("qmp: no answer")

// NewMonitor returns a monitor for the socket. Connect must be called first.
func NewMonitor(socket string) *Monitor { return &Monitor{socket: socket} }

// Connect connects and negotiates capabilities.
func (m *Monitor) Connect() error {
	conn, err := net.DialUnix("unix", nil, &net.UnixAddr{Name: m.socket, Net: "unix"})
	if err != nil {
		return fmt.Errorf("qmp: %w", err)
	}
	in := bufio.NewReaderSize(conn, 64<<10)
	conn.SetReadDeadline(time.Now().Add(m.patience()))
	line, err := in.ReadBytes('\n')
	conn.SetReadDeadline(time.Time{})
	if errors.Is(err, os.ErrDeadlineExceeded) {
		conn.Close()
		return fmt.Errorf("%w: no greeting within %v", ErrSilent, m.patience())
	}
	var hello struct {
		QMP *struct {
			Version qmp.Version `json:"version"`
		} `json:"QMP"`
	}
	if err == nil {
		err = json.Unmarshal(line, &hello)
	}
	if err != nil || hello.QMP == nil {
		conn.Close()
		return fmt.Errorf("qmp: want a greeting, got %q: %w", line, errors.Join(err, ErrDisconnected))
	}
	m.conn, m.greet = conn, hello.QMP.Version
	m.replies, m.closed = make(chan []byte, 1), make(chan struct{})
	go m.read(in)
	if _, err := m.Run([]byte(`{"execute":"qmp_capabilities"}`)); err != nil {
		return errors.Join(err, m.Disconnect())
	}
	return nil
}

func (m *Monitor) patience() time.Duration {
	if m.Patience == 0 {
		return time.Minute
	}
	return m.Patience
}

// Disconnect closes the connection. Streams of events end.
func (m *Monitor) Disconnect() error {
	if m.conn == nil {
		return nil
	}
	err := m.conn.Close()
	<-m.closed
	return err
}

func (m *Monitor) read(in *bufio.Reader) {
	var err error
	for {
		var line []byte
		if line, err = in.ReadBytes('\n'); err != nil {
			break
		}
		var head struct {
			Event string `json:"event"`
		}
		if err = json.Unmarshal(line, &head); err != nil {
			break
		}
		if head.Event == "" {
			m.replies <- line
			continue
		}
		var e qmp.Event
		if err = json.Unmarshal(line, &e); err != nil {
			break
		}
		m.mu.Lock()
		for _, s := range m.streams {
			s.push(e)
		}
		m.mu.Unlock()
	}
	m.mu.Lock()
	m.err = err
	for _, s := range m.streams {
		s.end()
	}
	m.streams = nil
	m.mu.Unlock()
	close(m.closed)
}

// Run sends one command, such as {"execute":"stop"}, and returns QEMU's reply.
// An error reply is a *CommandError.
func (m *Monitor) Run(command []byte) ([]byte, error) { return m.send(command, nil) }

// GiveFile gives QEMU an open file, under a name that other commands can use.
func (m *Monitor) GiveFile(name string, f *os.File) error {
	c, err := json.Marshal(qmp.Command{Execute: "getfd", Args: map[string]any{"fdname": name}})
	if err != nil {
		return err
	}
	_, err = m.send(c, syscall.UnixRights(int(f.Fd())))
	return err
}

func (m *Monitor) send(command, rights []byte) ([]byte, error) {
	m.run.Lock()
	defer m.run.Unlock()
	if m.conn == nil {
		return nil, ErrDisconnected
	}
	m.conn.SetWriteDeadline(time.Now().Add(m.patience()))
	if _, _, err := m.conn.WriteMsgUnix(append(command[:len(command):len(command)], '\n'), rights, nil); err != nil {
		return nil, fmt.Errorf("%w: %v", ErrDisconnected, err)
	}
	limit := time.NewTimer(m.patience())
	defer limit.Stop()
	select {
	case reply := <-m.replies:
		return reply, replyError(command, reply)
	case <-m.closed:
		return nil, ErrDisconnected
	case <-limit.C:
		m.conn.Close() // an answer that came now would be taken for another's
		return nil, fmt.Errorf("%w: nothing within %v to %s", ErrSilent, m.patience(), command)
	}
}

func replyError(command, reply []byte) error {
	var r struct {
		Error *struct{ Class, Desc string } `json:"error"`
	}
	if err := json.Unmarshal(reply, &r); err != nil {
		return fmt.Errorf("qmp: %w", err)
	}
	if r.Error == nil {
		return nil
	}
	return &CommandError{Command: string(command), Class: r.Error.Class, Desc: r.Error.Desc}
}

// Do runs a command and decodes what it returns into result, unless that is nil.
func (m *Monitor) Do(c qmp.Command, result any) error {
	b, err := json.Marshal(c)
	if err != nil {
		return err
	}
	reply, err := m.Run(b)
	if err != nil || result == nil {
		return err
	}
	return json.Unmarshal(reply, &struct {
		Return any `json:"return"`
	}{result})
}

// Events returns the events from now on, until the context or the connection
// ends. Unread events wait in memory; they never hold up the monitor.
func (m *Monitor) Events(ctx context.Context) (<-chan qmp.Event, error) {
	s := newStream()
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.conn == nil || m.err != nil {
		return nil, ErrDisconnected
	}
	m.streams = append(m.streams, s)
	go s.deliver(ctx)
	return s.out, nil
}

// CommandError is QEMU's refusal of a command.
type CommandError struct{ Command, Class, Desc string }

func (e *CommandError) Error() string { return fmt.Sprintf("qmp: %s: %s", e.Command, e.Desc) }

// stream is an unbounded queue of events.
type stream struct {
	out  chan qmp.Event
	wake chan struct{}

	mu    sync.Mutex
	queue []qmp.Event
	ended bool
}

func newStream() *stream {
	return &stream{out: make(chan qmp.Event), wake: make(chan struct{}, 1)}
}

func (s *stream) push(e qmp.Event) {
	s.mu.Lock()
	s.queue = append(s.queue, e)
	s.mu.Unlock()
	s.signal()
}

func (s *stream) end() {
	s.mu.Lock()
	s.ended = true
	s.mu.Unlock()
	s.signal()
}

func (s *stream) signal() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

func (s *stream) deliver(ctx context.Context) {
	defer close(s.out)
	for {
		s.mu.Lock()
		queue, ended := s.queue, s.ended
		s.queue = nil
		s.mu.Unlock()
		for _, e := range queue {
			select {
			case s.out <- e:
			case <-ctx.Done():
				return
			}
		}
		if len(queue) > 0 {
			continue
		}
		if ended {
			return
		}
		select {
		case <-s.wake:
		case <-ctx.Done():
			return
		}
	}
}
