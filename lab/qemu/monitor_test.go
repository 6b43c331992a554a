package qemu

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/digitalocean/go-qemu/qmp"
)

// peer plays QEMU: for each command it writes what answer says.
func peer(t *testing.T, answer func(command string, w net.Conn)) *Monitor {
	t.Helper()
	socket := filepath.Join(t.TempDir(), "qmp")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		fmt.Fprintln(conn, `{"QMP": {"version": {"qemu": {"major": 7}}}}`)
		for sc := bufio.NewScanner(conn); sc.Scan(); {
			if strings.Contains(sc.Text(), "qmp_capabilities") {
				fmt.Fprintln(conn, `{"return": {}}`)
				continue
			}
			answer(sc.Text(), conn)
		}
	}()
	m := NewMonitor(socket)
	if err := m.Connect(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Disconnect() })
	return m
}

// go-qemu's own monitor fails on both.
func TestLargeRepliesAndUnreadEvents(t *testing.T) {
	long := strings.Repeat("x", 1<<20)
	m := peer(t, func(_ string, w net.Conn) {
		for i := range 1000 {
			fmt.Fprintf(w, `{"event": "E", "data": {"n": %d}}`+"\n", i)
		}
		fmt.Fprintf(w, `{"return": %q}`+"\n", long)
	})
	events, err := m.Events(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var got string
	if err := m.Do(qmp.Command{Execute: "x"}, &got); err != nil || got != long {
		t.Fatalf("reply of %d bytes, %v", len(got), err)
	}
	for i := range 1000 {
		if e := <-events; e.Data["n"] != float64(i) {
			t.Fatalf("event %d is %v", i, e)
		}
	}
}

func TestErrorRepliesAreErrors(t *testing.T) {
	m := peer(t, func(_ string, w net.Conn) {
		fmt.Fprintln(w, `{"error": {"class": "GenericError", "desc": "no such thing"}}`)
	})
	_, err := m.Run([]byte(`{"execute":"x"}`))
	var bad *CommandError
	if !errors.As(err, &bad) || bad.Desc != "no such thing" {
		t.Errorf("got %v", err)
	}
}

// A QEMU that is stopped keeps its sockets, and answers nothing.
func TestNoAnswerIsAnError(t *testing.T) {
	m := peer(t, func(string, net.Conn) {})
	m.Patience = 50 * time.Millisecond
	if _, err := m.Run([]byte(`{"execute":"stop"}`)); !errors.Is(err, ErrSilent) {
		t.Errorf("got %v", err)
	}
	if _, err := m.Run([]byte(`{"execute":"cont"}`)); !errors.Is(err, ErrDisconnected) {
		t.Errorf("after that: got %v", err)
	}
	socket := filepath.Join(t.TempDir(), "mute")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	m = NewMonitor(socket)
	m.Patience = 50 * time.Millisecond
	if err := m.Connect(); !errors.Is(err, ErrSilent) {
		t.Errorf("without a greeting: got %v", err)
	}
}

func TestHangUpEndsEverything(t *testing.T) {
	m := peer(t, func(_ string, w net.Conn) { w.Close() })
	events, err := m.Events(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.Run([]byte(`{"execute":"quit"}`)); !errors.Is(err, ErrDisconnected) {
		t.Errorf("got %v", err)
	}
	select {
	case _, ok := <-events:
		if ok {
			t.Error("an event from nowhere")
		}
	case <-time.After(10 * time.Second):
		t.Error("the stream did not end")
	}
}

func TestByHand(t *testing.T) {
	c := Command{Binary: "qemu-system-aarch64", Devices: []Device{
		Kernel{Image: "/a b/Image", Initramfs: "/i"}, Console{File: "/run/console"},
		Shared{File: "/run/mailbox", Size: 1}, QMP{Socket: "/run/qmp"}, GDB{Socket: "/run/gdb"}, Stopped{},
		FwCfg{Name: "opt/x", File: "/a,b"},
	}}
	want := `qemu-system-aarch64 -kernel '/a b/Image' -initrd /i -serial stdio -fw_cfg name=opt/x,file=/a,,b ` +
		`-append 'rdinit=/init quiet panic=-1 oops=panic nokaslr console=ttyAMA0 earlycon'`
	if got := c.ByHand(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
