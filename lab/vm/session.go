package vm

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"regexp"
	"sync"

	"ghostlab/initramfs/wire"
	"ghostlab/lab/qemu"
)

// serial is the guest's console.
func (g *Guest) serial() qemu.Device {
	if g.cfg.Terminal {
		return qemu.Terminal{Socket: g.dir.file("terminal"), Log: g.dir.file("console")}
	}
	return qemu.Console{File: g.dir.file("console")}
}

// session is what only a guest has that a person looks at.
func (g *Guest) session() (devices []qemu.Device) {
	if g.cfg.Forward != 0 {
		devices = append(devices, qemu.Forward{Port: g.cfg.Forward})
	}
	if g.cfg.Share != "" {
		devices = append(devices, qemu.Share{Dir: g.cfg.Share, Tag: wire.ShareTag})
	}
	return devices
}

// Terminal connects to the console of a guest with Config.Terminal. Before the
// guest runs nothing is missed.
func (g *Guest) Terminal() (io.ReadWriteCloser, error) {
	conn, err := net.Dial("unix", g.dir.file("terminal"))
	if err != nil {
		return nil, err
	}
	return readAlways(conn), nil
}

// typedOn is a console that is read at all times. The socket holds no more than some
// hundred bytes, as each is a message of its own, and then the guest's processor
// waits for a reader.
type typedOn struct {
	net.Conn
	mu   sync.Mutex
	some *sync.Cond
	text bytes.Buffer // not yet read by the user
	err  error        // set when no more comes
}

func readAlways(conn net.Conn) *typedOn {
	t := &typedOn{Conn: conn}
	t.some = sync.NewCond(&t.mu)
	go t.fill()
	return t
}

func (t *typedOn) fill() {
	buf := make([]byte, 4<<10)
	for ended := false; !ended; {
		n, err := t.Conn.Read(buf)
		ended = err != nil
		t.mu.Lock()
		t.text.Write(buf[:n])
		t.err = err
		t.mu.Unlock()
		t.some.Signal()
	}
}

func (t *typedOn) Read(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for t.text.Len() == 0 && t.err == nil {
		t.some.Wait()
	}
	if t.text.Len() == 0 {
		return 0, t.err
	}
	return t.text.Read(b)
}

// Resize tells the guest how large the window is that its console is in. After Close
// it does nothing.
func (g *Guest) Resize(s wire.Size) {
	g.mapped.Lock()
	defer g.mapped.Unlock()
	if g.mem != nil {
		g.box.Resize(s)
	}
}

// forwarded matches the line of QEMU's "info usernet" that has the port, as in
// "TCP[HOST_FORWARD] 13 127.0.0.1 40213 10.0.2.15 4040 0 0".
var forwarded = regexp.MustCompile(`HOST_FORWARD\]\s+\S+\s+(127\.0\.0\.1)\s+([0-9]+)`)

// Forwarded is the host's address that leads to the guest's port Config.Forward.
func (g *Guest) Forwarded() (string, error) {
	said := g.monitor("info usernet")
	m := forwarded.FindStringSubmatch(said)
	if m == nil {
		return "", &InfraError{What: fmt.Sprintf("the guest's port is not forwarded: QEMU says %q", said)}
	}
	return m[1] + ":" + m[2], nil
}

// monitor runs a command of QEMU's monitor for people and returns what it says.
func (g *Guest) monitor(line string) string {
	var said string
	if err := g.command("human-monitor-command", map[string]any{"command-line": line}, &said); err != nil {
		return err.Error()
	}
	return said
}
