package cli

import (
	"bufio"
	"encoding/json"
	"net"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-dap"
)

// editor is an editor that talks to a debugger in its own protocol.
type editor struct {
	t    *testing.T
	conn net.Conn
	in   *bufio.Reader
	seq  int
}

// asks sends a request and returns the answer.
func (e *editor) asks(command string, arguments any) dap.Message {
	e.t.Helper()
	e.seq++
	text, err := json.Marshal(map[string]any{"type": "request", "seq": e.seq, "command": command, "arguments": arguments})
	if err == nil {
		err = dap.WriteBaseMessage(e.conn, text)
	}
	if err != nil {
		e.t.Fatalf("%s: %v", command, err)
	}
	return e.hears(func(m dap.Message) bool {
		r, ok := m.(dap.ResponseMessage)
		return ok && r.GetResponse().RequestSeq == e.seq
	})
}

// hears waits for a message.
func (e *editor) hears(wanted func(dap.Message) bool) dap.Message {
	e.t.Helper()
	e.conn.SetReadDeadline(time.Now().Add(time.Minute))
	for {
		m, err := dap.ReadProtocolMessage(e.in)
		if err != nil {
			e.t.Fatal(err)
		}
		if refused, ok := m.(*dap.ErrorResponse); ok {
			e.t.Fatalf("%s: %+v", refused.Command, refused.Body.Error)
		}
		if wanted(m) {
			return m
		}
	}
}

// editorStops does what an editor does with a launch entry: it attaches, stops in a
// function, and opens the files on the stack. It returns their names on this host.
func editorStops(t *testing.T, entry []byte, function string) (files []string) {
	t.Helper()
	var e struct {
		Host string
		Port int
	}
	if err := json.Unmarshal(entry, &e); err != nil {
		t.Fatalf("%v:\n%s", err, entry)
	}
	conn, err := net.Dial("tcp", net.JoinHostPort(e.Host, strconv.Itoa(e.Port)))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	ed := &editor{t: t, conn: conn, in: bufio.NewReader(conn)}
	ed.asks("initialize", dap.InitializeRequestArguments{AdapterID: "go", PathFormat: "path", LinesStartAt1: true, ColumnsStartAt1: true})
	ed.asks("attach", json.RawMessage(entry))
	ed.asks("setFunctionBreakpoints", dap.SetFunctionBreakpointsArguments{Breakpoints: []dap.FunctionBreakpoint{{Name: function}}})
	ed.asks("configurationDone", nil) // the program goes on
	stopped := ed.hears(func(m dap.Message) bool {
		s, ok := m.(*dap.StoppedEvent)
		return ok && strings.Contains(s.Body.Reason, "breakpoint")
	}).(*dap.StoppedEvent)
	stack := ed.asks("stackTrace", dap.StackTraceArguments{ThreadId: stopped.Body.ThreadId, Levels: 50}).(*dap.StackTraceResponse)
	for _, f := range stack.Body.StackFrames {
		if f.Source != nil {
			files = append(files, f.Source.Path)
		}
	}
	return files
}

// checkFiles looks whether an editor could open them.
func checkFiles(t *testing.T, files []string, wanted ...string) {
	t.Helper()
	for _, f := range files {
		if _, err := os.Stat(f); err != nil {
			t.Error(err)
		}
	}
	for _, w := range wanted {
		if !strings.Contains(strings.Join(files, "\n")+"\n", w+"\n") {
			t.Errorf("%s is not among the stack's files: %q", w, files)
		}
	}
}
