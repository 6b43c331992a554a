package vm

import (
	"io"
	"net"
	"path/filepath"
	"testing"
	"time"
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
