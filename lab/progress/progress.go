// Package progress shows how far long work has come: bars on a terminal, a line
// now and then elsewhere. It writes to stderr's place only; results are not its
// business.
package progress

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
	"golang.org/x/term"
)

// lineEvery is how often a task says something where there is no terminal.
const lineEvery = 30 * time.Second

// Output is where progress goes. A nil *Output is silent.
type Output struct {
	w    io.Writer
	bars *mpb.Progress // nil where there is no terminal
	mu   sync.Mutex
}

// New returns an output on w, with bars when w is a terminal. Call Close before
// anything else writes there.
func New(w io.Writer) *Output {
	o := &Output{w: w}
	if f, ok := w.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		o.bars = mpb.New(mpb.WithOutput(w), mpb.WithWidth(40), mpb.WithRefreshRate(150*time.Millisecond))
	}
	return o
}

// Close waits until the last state of the bars is on the screen. It may be
// called again.
func (o *Output) Close() {
	if o != nil && o.bars != nil {
		o.bars.Shutdown()
	}
}

// Printf writes a line above the bars.
func (o *Output) Printf(format string, args ...any) {
	if o == nil {
		return
	}
	line := fmt.Sprintf(format, args...) + "\n"
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.bars != nil {
		if _, err := io.WriteString(o.bars, line); err == nil {
			return
		}
	}
	io.WriteString(o.w, line)
}

// Task is work of a known or estimated size. A nil *Task is silent.
type Task struct {
	out   *Output
	name  string
	bytes bool
	bar   *mpb.Bar

	mu    sync.Mutex
	start time.Time
	said  time.Time
	done  int64
	total int64
	note  string
}

// Steps starts a task counted in steps, Bytes one counted in bytes. A total of
// zero means that it is not known.
func (o *Output) Steps(name string, total int64) *Task { return o.task(name, total, false) }

// Bytes starts a task counted in bytes.
func (o *Output) Bytes(name string, total int64) *Task { return o.task(name, total, true) }

func (o *Output) task(name string, total int64, bytes bool) *Task {
	if o == nil {
		return nil
	}
	t := &Task{out: o, name: name, bytes: bytes, total: total, start: time.Now(), said: time.Now()}
	if o.bars == nil {
		o.Printf("%s ...", name)
		return t
	}
	counters := decor.CountersNoUnit(" %d/%d")
	if bytes {
		counters = decor.CountersKibiByte(" % .1f / % .1f")
	}
	t.bar = o.bars.AddBar(total,
		mpb.BarRemoveOnComplete(),
		mpb.PrependDecorators(decor.Name(name, decor.WCSyncSpaceR)),
		mpb.AppendDecorators(decor.Percentage(decor.WCSyncSpace), counters, decor.Any(func(decor.Statistics) string { return "  " + t.left() })))
	return t
}

// Set says how much is done.
func (t *Task) Set(done int64) {
	if t == nil {
		return
	}
	t.mu.Lock()
	t.done = done
	// An estimate that turns out too low must not look like the end.
	if t.total > 0 && t.done >= t.total && !t.bytes {
		t.total = t.done + t.done/50 + 1
		if t.bar != nil {
			t.bar.SetTotal(t.total, false)
		}
	}
	speak := t.bar == nil && time.Since(t.said) >= lineEvery
	if speak {
		t.said = time.Now()
	}
	t.mu.Unlock()
	if t.bar != nil {
		t.bar.SetCurrent(done)
	}
	if speak {
		t.out.Printf("%s: %s", t.name, t.state())
	}
}

// Add says that n more are done.
func (t *Task) Add(n int64) {
	if t == nil {
		return
	}
	t.mu.Lock()
	done := t.done + n
	t.mu.Unlock()
	t.Set(done)
}

// End removes the bar.
func (t *Task) End() {
	if t != nil && t.bar != nil {
		t.bar.Abort(true)
	}
}

func (t *Task) state() string {
	t.mu.Lock()
	done, total := t.done, t.total
	t.mu.Unlock()
	s := fmt.Sprint(done)
	if t.bytes {
		s = fmt.Sprintf("%d MiB", done>>20)
	}
	if total > 0 {
		s = fmt.Sprintf("%d %%, %s", done*100/total, t.left())
	}
	return s
}

// left is the note and an estimate from the mean speed so far.
func (t *Task) left() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.done <= 0 || t.total <= t.done || time.Since(t.start) < 2*time.Second {
		return t.note
	}
	rest := time.Duration(float64(time.Since(t.start)) * float64(t.total-t.done) / float64(t.done))
	return strings.TrimSpace(t.note + "  " + rest.Round(time.Second).String() + " left")
}

// Bars says whether tasks are shown as bars.
func (o *Output) Bars() bool { return o != nil && o.bars != nil }

// Note sets a word about the task that is shown behind its numbers.
func (t *Task) Note(s string) {
	if t == nil {
		return
	}
	t.mu.Lock()
	t.note = s
	t.mu.Unlock()
}
