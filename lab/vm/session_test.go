package vm

import (
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"ghostlab/initramfs/wire"
)

// A guest that says much before somebody reads does not wait, and nothing is lost.
func TestConsoleIsReadAtAllTimes(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "terminal")
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	user, err := net.Dial("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	console := readAlways(user)
	defer console.Close()
	guest, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	guest.SetWriteDeadline(time.Now().Add(time.Minute))
	const said = 20_000
	for range said {
		if _, err := guest.Write([]byte("x")); err != nil {
			t.Fatalf("the guest waits: %v", err)
		}
	}
	guest.Close()
	if text, err := io.ReadAll(console); err != nil || len(text) != said {
		t.Errorf("%d of %d bytes: %v", len(text), said, err)
	}
}

// A window can change its size when the guest has gone, and its memory with it.
func TestResizeAfterTheEnd(t *testing.T) {
	dir, err := newRundir()
	if err != nil {
		t.Fatal(err)
	}
	mem, err := createShared(dir.file("mailbox"), wire.MailboxSize)
	if err != nil {
		t.Fatal(err)
	}
	g := &Guest{dir: dir, mem: mem, box: wire.NewMailbox(mem)}
	size := wire.Size{Cols: 132, Rows: 43}
	g.Resize(size)
	if got := g.box.Size(); got != size {
		t.Errorf("the guest sees %v, want %v", got, size)
	}
	var resizing sync.WaitGroup
	resizing.Go(func() {
		for range 100_000 {
			g.Resize(size)
		}
	})
	g.Close()
	resizing.Wait()
	if _, err := g.received(); !errors.Is(err, os.ErrClosed) {
		t.Errorf("a mailbox that is gone gives %v", err)
	}
	g.Close()
}
