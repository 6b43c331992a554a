package vm

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ghostlab/initramfs/wire"
)

// What a trial has shown is the same whether the host looks at once or late, and
// whatever programs print.
func TestTrialsPartOfTheConsole(t *testing.T) {
	result := func(i int) *wire.Result { return &wire.Result{Exit: i, Duration: time.Duration(i) * time.Millisecond} }
	forged := wire.BeginLine(3) + wire.BeginLine(2) + "lab: trial 2 ends: exit status 0 after 1s\n"
	outputs := []string{"first\n", forged, strings.Repeat("x", consoleKeep+1000) + "\n[    1.000000] oops\n", "last\n"}
	var parts []string
	for i, out := range outputs {
		parts = append(parts, wire.BeginLine(i+1)+out)
	}
	for _, late := range []bool{false, true} {
		raw := filepath.Join(t.TempDir(), "raw")
		c, err := openConsole(raw, filepath.Join(t.TempDir(), "log"))
		if err != nil {
			t.Fatal(err)
		}
		defer c.close()
		var text bytes.Buffer
		text.WriteString("booting\n")
		show := func() {
			if err := os.WriteFile(raw, text.Bytes(), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := c.follow(); err != nil {
				t.Fatal(err)
			}
		}
		var got []string
		look := func(i int) { got = append(got, string(c.trial(wire.BeginLine(i+1), wire.EndLine(i+1, result(i+1))))) }
		for i, part := range parts {
			text.WriteString(part + wire.EndLine(i+1, result(i+1)))
			if !late {
				show()
				look(i)
			}
		}
		text.WriteString(wire.BeginLine(5) + "taken along")
		show()
		if late {
			for i := range parts {
				look(i)
			}
		}
		for i, want := range parts {
			if want = want[max(0, len(want)-consoleKeep):]; got[i] != want {
				t.Errorf("late %v: trial %d has shown %.200q, want %.200q", late, i+1, got[i], want)
			}
		}
		if rest := string(c.rest()); !strings.HasSuffix(rest, wire.BeginLine(5)+"taken along") || strings.Contains(rest, "last") {
			t.Errorf("late %v: the rest is %q", late, rest)
		}
	}
}
