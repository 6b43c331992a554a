package progress

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
)

// lineEvery is how often a task says something where there is no terminal.
const lineEvery = 30 * time.Second

// Task is work of a known or estimated size. A nil *Task is silent.
type Task struct {
	out   *Output
	name  string
	bytes bool
	guess bool // the total is an estimate
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
func (o *Output) Steps(name string, total int64) *Task {
	return o.begin(&Task{name: name, total: total})
}

// Bytes starts a task counted in bytes.
func (o *Output) Bytes(name string, total int64) *Task {
	return o.begin(&Task{name: name, total: total, bytes: true})
}

// Estimate starts a task counted in steps whose total is an estimate: it grows
// when it turns out too low, which must not look like the end.
func (o *Output) Estimate(name string, total int64) *Task {
	return o.begin(&Task{name: name, total: total, guess: true})
}

func (o *Output) begin(t *Task) *Task {
	if o == nil {
		return nil
	}
	t.out, t.start, t.said = o, time.Now(), time.Now()
	if o.bars == nil {
		o.Printf("%s ...", t.name)
		return t
	}
	counters := decor.CountersNoUnit(" %d/%d")
	if t.bytes {
		counters = decor.CountersKibiByte(" % .1f / % .1f")
	}
	var style mpb.BarFillerBuilder = mpb.BarStyle()
	numbers := []decor.Decorator{decor.Percentage(decor.WCSyncSpace), counters}
	if t.total == 0 {
		style = mpb.SpinnerStyle("-", `\`, "|", "/").PositionLeft()
		numbers = []decor.Decorator{decor.Elapsed(decor.ET_STYLE_GO)}
	}
	numbers = append(numbers, decor.Any(func(decor.Statistics) string { return "  " + t.left() }))
	// A bar made with its total would vanish when that is reached.
	t.bar = o.bars.New(0, style,
		mpb.PrependDecorators(decor.Name("\r"), // see newLine
			decor.Name(t.name, decor.WCSyncSpaceR)),
		mpb.AppendDecorators(numbers...))
	t.bar.SetTotal(t.total, false)
	return t
}

// Set says how much is done.
func (t *Task) Set(done int64) {
	if t == nil {
		return
	}
	t.mu.Lock()
	t.done = done
	if t.guess && t.total > 0 && done >= t.total {
		t.total = done + done/50 + 1
	}
	total := t.total
	speak := t.bar == nil && time.Since(t.said) >= lineEvery
	if speak {
		t.said = time.Now()
	}
	t.mu.Unlock()
	if t.bar != nil {
		t.bar.SetTotal(total, false)
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

// Note sets a word about the task that is shown behind its numbers.
func (t *Task) Note(s string) {
	if t == nil {
		return
	}
	t.mu.Lock()
	t.note = s
	t.mu.Unlock()
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
	parts := []string{fmt.Sprint(done)}
	switch {
	case total > 0:
		parts[0] = fmt.Sprintf("%d %%", done*100/total)
	case t.bytes:
		parts[0] = fmt.Sprintf("%d MiB", done>>20)
	}
	if left := t.left(); left != "" {
		parts = append(parts, left)
	}
	return strings.Join(parts, ", ")
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
