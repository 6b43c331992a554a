package wire

import (
	"errors"
	"reflect"
	"testing"
)

func TestMailboxCarriesMessagesInOrder(t *testing.T) {
	mem := make([]byte, 4096)
	host := NewMailbox(mem)
	guest, err := OpenMailbox(mem)
	if err != nil {
		t.Fatal(err)
	}
	sent := []Message{
		{Kind: Ready, Release: "5.15.1", Output: []byte{}, Faults: []byte{}},
		{Kind: End, ID: 7, Result: &Result{Exit: 2}, Output: []byte("fatal error"), Faults: []byte("1 2 3\n")},
	}
	var got []Message
	for _, m := range sent {
		if err := guest.Send(m); err != nil {
			t.Fatal(err)
		}
		msgs, err := host.Receive()
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, msgs...)
	}
	for i := range got {
		got[i].OutputSize, got[i].FaultsSize = 0, 0
	}
	if !reflect.DeepEqual(got, sent) {
		t.Errorf("received %+v, want %+v", got, sent)
	}
	if err := guest.Send(Message{Kind: End, Output: make([]byte, 4096)}); err == nil {
		t.Error("a message larger than the mailbox was sent")
	}
	if msgs, err := host.Receive(); len(msgs) != 0 || err != nil {
		t.Errorf("after a refused message: received %v, %v", msgs, err)
	}
}

func TestReceiveRefusesACorruptMailbox(t *testing.T) {
	mem := make([]byte, 4096)
	host := NewMailbox(mem)
	*host.tail() = 1 << 40
	if _, err := host.Receive(); !errors.Is(err, ErrFrame) {
		t.Errorf("end beyond the memory: got %v, want ErrFrame", err)
	}
	*host.tail() = 100
	if _, err := host.Receive(); !errors.Is(err, ErrFrame) {
		t.Errorf("zeros for a frame: got %v, want ErrFrame", err)
	}
}

func FuzzNext(f *testing.F) {
	b, _ := Append(nil, Message{Kind: End, ID: 1, Output: []byte("x"), Faults: []byte("y")})
	f.Add(b)
	f.Add([]byte{8, 0, 0, 0, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		m, rest, err := Next(b)
		if err != nil {
			return
		}
		if len(rest) >= len(b) {
			t.Fatalf("took nothing off %d bytes", len(b))
		}
		if len(m.Output)+len(m.Faults) > len(b) {
			t.Fatal("more evidence than bytes")
		}
	})
}
