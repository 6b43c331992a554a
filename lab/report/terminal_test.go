package report

import (
	"bytes"
	"regexp"
	"strings"
	"testing"

	"github.com/mattn/go-runewidth"

	"ghostlab/lab/labtest"
)

var sgr = regexp.MustCompile("\x1b\\[[0-9;]*m")

// A narrow screen shows all numbers too, each row below the cell's name.
func TestNarrowScreens(t *testing.T) {
	s, err := Read(bigRun(t))
	if err != nil {
		t.Fatal(err)
	}
	print := func(on screen) string {
		var out bytes.Buffer
		if err := s.terminal(&out, on); err != nil {
			t.Fatal(err)
		}
		_, table, _ := strings.Cut(out.String(), "\n\n")
		return table
	}
	wide := print(screen{})
	for _, width := range []int{100, 80, 60} {
		got := print(screen{width: width, colour: true})
		if !strings.Contains(got, "\x1b[") {
			t.Error("no colours")
		}
		got = sgr.ReplaceAllString(got, "")
		for _, line := range strings.Split(got, "\n") {
			if w := runewidth.StringWidth(line); w > width {
				t.Errorf("%d columns on a screen of %d: %s", w, width, line)
			}
		}
		if n := strings.Count(got, "10       10  100.0 %  69.2 to 100.0 %"); n != 8 {
			t.Errorf("%d rows at 100 %%, want 8:\n%s", n, got)
		}
	}
	if strings.Contains(wide, "\x1b") || !strings.Contains(wide, "2           huge        true      growing    10       10  100.0 %") {
		t.Errorf("without a screen:\n%s", wide)
	}
}

// Colours are for terminals whose owner has nothing against them.
func TestColours(t *testing.T) {
	tty := labtest.NewScreen(t, 72, 20).TTY
	t.Setenv("TERM", "xterm")
	t.Setenv("NO_COLOR", "")
	if on := screenOf(tty); on != (screen{72, true}) {
		t.Errorf("a terminal is %+v", on)
	}
	t.Setenv("NO_COLOR", "1")
	if on := screenOf(tty); on.colour {
		t.Error("NO_COLOR is not heeded")
	}
	if on := screenOf(&bytes.Buffer{}); on != (screen{}) {
		t.Errorf("a buffer is %+v", on)
	}
}
