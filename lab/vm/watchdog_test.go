package vm

import (
	"strings"
	"testing"
	"time"
)

// watched lets a watchdog look for so long, 50 times a second, at a QEMU that uses the
// given share of a processor and may be stopped. It returns when the guest is given up,
// zero where it is not, and what the researcher is told and when.
func watched(limit, total time.Duration, share float64, stopped bool) (up, told time.Duration, text string) {
	begin := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	var w watchdog
	w.heard(begin, time.Second)
	for at := poll; at <= total; at += poll {
		used := time.Second + time.Duration(share*float64(at)).Truncate(10*time.Millisecond)
		w.look(begin.Add(at), func() (time.Duration, bool) { return used, stopped })
		if w.hung(limit) {
			return at, told, text
		}
		if t := w.warning(begin.Add(at), limit, 7); t != "" {
			told, text = at, text+t
		}
	}
	return 0, told, text
}

func TestWatchdog(t *testing.T) {
	const short, long = 32 * time.Second, 230 * time.Second // of time limits of 1 s and 100 s
	for name, c := range map[string]struct {
		limit, up, told time.Duration
		share           float64
		stopped         bool
		text            string
	}{
		"busy and silent":       {limit: short, share: 1, up: 32 * time.Second},
		"on a slow host":        {limit: short, share: 0.1, up: 160 * time.Second},
		"asleep":                {limit: short, share: 0.002, up: 160 * time.Second},
		"still":                 {limit: short, told: 30 * time.Second, up: 32 * time.Second, text: "has used no processor time for 30s; it is given up at 12:00:32"},
		"still, long limit":     {limit: long, told: 30 * time.Second, up: long, text: "it is given up at 12:03:50"},
		"stopped":               {limit: short, stopped: true, told: 10 * time.Second, up: 32 * time.Second, text: "given up at 12:00:32"},
		"stopped, long limit":   {limit: long, stopped: true, told: 10 * time.Second, up: time.Minute, text: "QEMU (process 7) is stopped, by a signal or a debugger of this host; `kill -CONT 7` lets it go on, and it is given up at 12:01:00"},
		"stopped, tiny limit":   {limit: time.Second, stopped: true, up: 5 * time.Second},
		"no limit in this time": {limit: time.Hour, share: 1},
	} {
		up, told, text := watched(c.limit, 5*time.Minute, c.share, c.stopped)
		if (up-c.up).Abs() > time.Second || (told-c.told).Abs() > time.Second || !strings.Contains(text, c.text) || c.text == "" && text != "" {
			t.Errorf("%s: given up after %v, want %v; told after %v, want %v: %q", name, up, c.up, told, c.told, text)
		}
	}
}

// Time in which the lab did not look is none of the guest's silence.
func TestWatchdogThatWasAway(t *testing.T) {
	begin := time.Now()
	var w watchdog
	w.heard(begin, 0)
	process := func() (time.Duration, bool) { return time.Hour, false }
	w.look(begin.Add(time.Hour), process)
	if w.hung(2 * time.Second) {
		t.Errorf("a guest hangs after %v of silence", w.silent)
	}
	for at := range 4 {
		w.look(begin.Add(time.Hour+time.Duration(at)*glance), process)
	}
	if !w.hung(2 * time.Second) {
		t.Errorf("a guest does not hang after %v of silence", w.silent)
	}
}

// Where the host does not tell how much processor time QEMU uses, nothing follows.
func TestWatchdogOfAnUnknownProcess(t *testing.T) {
	begin := time.Now()
	var w watchdog
	w.heard(begin, 0)
	for at := poll; at < 100*time.Second; at += poll {
		w.look(begin.Add(at), func() (time.Duration, bool) { return 0, false })
		if w.hung(40*time.Second) || w.warning(begin.Add(at), 40*time.Second, 7) != "" {
			t.Fatalf("given up, or warned of, after %v", at)
		}
	}
}
