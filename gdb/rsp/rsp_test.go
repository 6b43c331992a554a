package rsp

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"testing"
	"time"
)

func TestPackets(t *testing.T) {
	for _, data := range []string{"", "OK", "m4000,10", "a#b$c}d*e", "\x00\xff\x03"} {
		framed := encode([]byte(data))
		got, err := decode(bufio.NewReader(bytes.NewReader(append([]byte("+noise"), framed...))))
		if err != nil || string(got) != data {
			t.Errorf("%q came back as %q, %v", data, got, err)
		}
	}
	for raw, want := range map[string]string{
		"$0* #7a":     "0000",     // from gdb's manual: 29 + 3
		"$}\x03#80":   "#",        // escaped
		"$1*!a#dd":    "11111a",   // a run and more
		"$OK#00":      "checksum", // not 9a
		"$*!#4b":      "run",      // nothing to repeat
		"$a}#de":      "escape",   // cut off
		"$OK#":        "EOF",
		"$OK#zz":      "checksum",
		"no packet":   "EOF",
		"$unfinished": "EOF",
	} {
		got, err := decode(bufio.NewReader(bytes.NewReader([]byte(raw))))
		if string(got) != want && (err == nil || !bytes.Contains([]byte(err.Error()), []byte(want))) {
			t.Errorf("%q: %q, %v, want %q", raw, got, err, want)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, s := range []string{"$OK#9a", "+$T05thread:01;watch:40;#00", "$0* #7a", "$}\x03#80"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		data, err := decode(bufio.NewReader(bytes.NewReader(b)))
		if err != nil {
			return
		}
		again, err := decode(bufio.NewReader(bytes.NewReader(encode(data))))
		if err != nil || !bytes.Equal(again, data) {
			t.Errorf("%q came back as %q, %v", data, again, err)
		}
		parseStop("c", string(data))
		next := 0
		scan(data, map[string]int{}, &next, func(string) error { return nil })
	})
}

func TestStops(t *testing.T) {
	for reply, want := range map[string]Stop{
		"S05":                                  {Signal: 5},
		"T05thread:p01.02;":                    {Signal: 5, CPU: 2},
		"T05thread:01;watch:0000004000074008;": {Signal: 5, Watch: 0x4000074008, CPU: 1},
		"T8fthread:01;":                        {Signal: 0x8f, CPU: 1},
	} {
		if got, err := parseStop("c", reply); err != nil || got != want {
			t.Errorf("%q: %+v, %v", reply, got, err)
		}
	}
	for _, reply := range []string{"", "E14", "S", "Txx", "T05watch:zz;", "OK"} {
		var refused *Error
		if _, err := parseStop("c", reply); !errors.As(err, &refused) {
			t.Errorf("%q: %v", reply, err)
		}
	}
}

// stub answers commands as a table says, and others with an empty packet.
func stub(t *testing.T, answers map[string][]string) *Client {
	t.Helper()
	socket := filepath.Join(t.TempDir(), "gdb")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		in := bufio.NewReader(conn)
		for {
			command, err := decode(in)
			if err != nil {
				return
			}
			replies, known := answers[string(command)]
			if !known {
				replies = []string{""}
			}
			for _, r := range replies {
				conn.Write(encode([]byte(r)))
			}
		}
	}()
	t.Cleanup(func() { l.Close() })
	c, err := Dial(t.Context(), socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func TestClient(t *testing.T) {
	c := stub(t, map[string][]string{
		"qSupported:swbreak+;hwbreak+;vContSupported+": {"T02thread:01;", "PacketSize=50;ReverseContinue+;qXfer:features:read+"},
		"qXfer:features:read:target.xml:0,48":          {`m<target><xi:include href="a"/>`},
		"qXfer:features:read:target.xml:1e,48":         {`l</target>`},
		"qXfer:features:read:a:0,48":                   {`l<feature><reg name="x0"/><reg name="T" regnum="9"/></feature>`},
		"p9":                                           {"2a00"},
		"m1000,24":                                     {"00" + "11"},
		"m1002,24":                                     {fmt.Sprintf("%068x", 0)},
		"m1024,4":                                      {"01020304"},
		"m2000,4":                                      {"E14"},
		"Z2,4000,1":                                    {"OK"},
		"z2,4000,1":                                    {"E22"},
		"bc":                                           {"T05watch:4000;"},
		"qRcmd,6869":                                   {"O6865", "O79", "OK"},
	})
	ctx := t.Context()
	if b, err := c.Register(ctx, "T"); err != nil || !bytes.Equal(b, []byte{42, 0}) {
		t.Errorf("register T: %x, %v", b, err)
	}
	if _, err := c.Register(ctx, "U"); err == nil {
		t.Error("a register that is not described was read")
	}
	// Answers may be shorter than what was asked for.
	buf := make([]byte, 40)
	if err := c.ReadMemory(ctx, 0x1000, buf); err != nil || buf[1] != 0x11 || !bytes.Equal(buf[36:], []byte{1, 2, 3, 4}) {
		t.Errorf("memory: %x, %v", buf, err)
	}
	var refused *Error
	if err := c.ReadMemory(ctx, 0x2000, buf[:4]); !errors.As(err, &refused) {
		t.Errorf("memory that is not there: %v", err)
	}
	if err := c.Insert(ctx, Point{Write, 0x4000, 1}); err != nil {
		t.Error(err)
	}
	if err := c.Remove(ctx, Point{Write, 0x4000, 1}); !errors.As(err, &refused) {
		t.Errorf("a refused command: %v", err)
	}
	if s, err := c.ContinueBack(ctx); err != nil || s != (Stop{Signal: Trap, Watch: 0x4000}) {
		t.Errorf("%+v, %v", s, err)
	}
	if said, err := c.Monitor(ctx, "hi"); err != nil || said != "hey" {
		t.Errorf("monitor: %q, %v", said, err)
	}
}

func TestWithoutALogThereIsNoWayBack(t *testing.T) {
	c := stub(t, nil)
	if _, err := c.StepBack(t.Context()); !errors.Is(err, ErrBackwards) {
		t.Error(err)
	}
}

// A stub that does not answer holds nobody up.
func TestContext(t *testing.T) {
	c := stub(t, map[string][]string{"c": {}})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := c.Continue(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
}
