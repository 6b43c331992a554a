package wire

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestSpecIsWhatWasEncoded(t *testing.T) {
	spec := Spec{Hold: true, Console: &Size{132, 43}, Trials: []Trial{
		{ID: 1, Argv: []string{"/repro", "", " -x=1", "two\nlines", `"q"`, "nul\x00"}, Env: []string{"A=", "B=b c"}, Dir: "/src/a b",
			Timeout: 20 * time.Second, Faults: true, Seed: 1<<64 - 1, Phase: 1234567, Slice: time.Millisecond},
		{ID: 2, Argv: []string{"/repro"}},
	}}
	text := spec.Encode()
	padded, err := Pad(text)
	if err != nil || len(padded) != SpecRoom {
		t.Fatalf("padded to %d bytes: %v", len(padded), err)
	}
	for _, b := range [][]byte{text, padded} {
		if got, err := DecodeSpec(b); err != nil || !reflect.DeepEqual(*got, spec) {
			t.Errorf("got %+v (%v)\nwant %+v", got, err, spec)
		}
	}
	if got, err := DecodeSpec(make([]byte, SpecRoom)); got != nil || err != nil {
		t.Errorf("a template's file: got %+v, %v", got, err)
	}
	if _, err := Pad(make([]byte, SpecRoom)); err == nil {
		t.Error("a spec without an end was padded")
	}
}

func TestDecodeSpecNamesTheLine(t *testing.T) {
	for text, want := range map[string]string{
		"{}":                                "line 1: cut short",
		"lab-spec 2\n":                      "line 1: lab-spec: want lab-spec 1",
		"lab-spec 1\narg x\n":               "line 2: arg: want a trial first",
		"lab-spec 1\ntrial 1\ncolour red\n": "line 3: colour: unknown key",
		"lab-spec 1\ntrial one\n":           "line 2: trial: ",
		"lab-spec 1\ntrial 1\narg \"x\n":    "line 3: arg: ",
	} {
		if _, err := DecodeSpec([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q", text, err, want)
		}
	}
}

func FuzzDecodeSpec(f *testing.F) {
	f.Add([]byte("lab-spec 1\ntrial 1\narg /repro\ntimeout 1s\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := DecodeSpec(b)
		if err != nil || s == nil {
			return
		}
		if again, err := DecodeSpec(s.Encode()); err != nil || !reflect.DeepEqual(again, s) {
			t.Errorf("%q became %+v, then %+v (%v)", b, s, again, err)
		}
	})
}

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
		{Kind: End, ID: 8, Result: &Result{Exit: -1, Signal: 9, TimedOut: true, Error: "a\nb", Duration: -1, Written: 1 << 40, FaultsLost: 3}, Output: []byte{}, Faults: []byte{}},
		{Kind: Failed, Error: `"quoted"`, Output: []byte{}, Faults: []byte{}},
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
	b := Append(nil, Message{Kind: End, ID: 1, Output: []byte("x"), Faults: []byte("y")})
	f.Add(b)
	f.Add([]byte{12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0})
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
