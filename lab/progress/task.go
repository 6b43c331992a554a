package progress

import (
	"fmt"
	"strings"
	"sync"
	"time"
)

const (
	// lineEvery is how often a task says something where there is no terminal.
	lineEvery = 30 * time.Second
	// tellEvery is how often Watch hears of a task.
	tellEvery = time.Second
	// barWidth is the number of characters of a bar, and nameWidth that of the
	// name before it at least, so that bars stand below each other.
	barWidth  = 40
	nameWidth = 16
)

// Task is work of a known or estimated size. A nil *Task is silent.
type Task struct {
	out   *Output
	name  string
	bytes bool
	guess bool // the total is an estimate
	hide  func()

	mu    sync.Mutex
	start time.Time
	said  time.Time
	told  time.Time
	done  int64
	total int64
	note  string
}

// Step is how far a task has come.
type Step struct {
	Name string
	// Done and Total count bytes where Bytes is set, else steps. A Total of
	// zero means that it is not known.
	Done, Total int64
	Bytes       bool
	// Ended is set once, when the work is over.
	Ended bool
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

// Estimate starts a task counted in steps whose total is an estimate: when it turns
// out too low the total is not known any more, which must not look like the end.
func (o *Output) Estimate(name string, total int64) *Task {
	return o.begin(&Task{name: name, total: total, guess: true})
}

func (o *Output) begin(t *Task) *Task {
	if o == nil {
		return nil
	}
	t.out, t.start, t.said, t.told = o, time.Now(), time.Now(), time.Now()
	t.tell(Step{Name: t.name, Total: t.total, Bytes: t.bytes})
	if !o.Terminal() {
		o.Printf("%s ...", t.name)
	}
	t.hide = o.Show(func(width, _ int) []string { return []string{t.line(width)} })
	return t
}

func (t *Task) tell(s Step) {
	if t.out.Watch != nil {
		t.out.Watch(s)
	}
}

// Set says how much is done.
func (t *Task) Set(done int64) {
	if t == nil {
		return
	}
	t.mu.Lock()
	t.done = done
	if t.guess && t.total > 0 && done >= t.total {
		t.total = 0
	}
	now := time.Now()
	speak := !t.out.Terminal() && now.Sub(t.said) >= lineEvery
	if speak {
		t.said = now
	}
	tell := now.Sub(t.told) >= tellEvery
	if tell {
		t.told = now
	}
	step := Step{Name: t.name, Done: done, Total: t.total, Bytes: t.bytes}
	t.mu.Unlock()
	if tell {
		t.tell(step)
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
	if t == nil {
		return
	}
	t.hide()
	t.mu.Lock()
	step := Step{Name: t.name, Done: t.done, Total: t.total, Bytes: t.bytes, Ended: true}
	t.mu.Unlock()
	t.tell(step)
}

// line is the task on a terminal.
func (t *Task) line(width int) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	name := fmt.Sprintf("%-*s", nameWidth, t.name)
	if t.total <= 0 {
		passed := time.Since(t.start)
		return strings.TrimRight(fmt.Sprintf("%s %c %s  %s", name, `-\|/`[passed/drawEvery%4], passed.Truncate(time.Second), t.rest()), " ")
	}
	counts := fmt.Sprintf("%d/%d", t.done, t.total)
	if t.bytes {
		counts = fmt.Sprintf("%.1f/%.1f MiB", float64(t.done)/(1<<20), float64(t.total)/(1<<20))
	}
	numbers := fmt.Sprintf("%3d %% %s  %s", t.done*100/t.total, counts, t.rest())
	room := min(barWidth, width-len(name)-len(numbers)-4)
	return strings.TrimRight(fmt.Sprintf("%s %s %s", name, Bar(t.done, t.total, room), numbers), " ")
}

// Bar is a bar of that many characters, or nothing where that are too few.
func Bar(done, total int64, width int) string {
	inner := width - 2
	if inner < 4 || total <= 0 {
		return ""
	}
	full := int(min(max(done, 0), total) * int64(inner) / total)
	bar := strings.Repeat("=", full)
	if full > 0 && full < inner {
		bar = bar[:full-1] + ">"
	}
	return "[" + bar + strings.Repeat("-", inner-full) + "]"
}

func (t *Task) state() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	parts := []string{fmt.Sprint(t.done)}
	switch {
	case t.total > 0:
		parts[0] = fmt.Sprintf("%d %%", t.done*100/t.total)
	case t.bytes:
		parts[0] = fmt.Sprintf("%d MiB", t.done>>20)
	}
	if rest := t.rest(); rest != "" {
		parts = append(parts, rest)
	}
	return strings.Join(parts, ", ")
}

// rest is the note and an estimate from the mean speed so far.
func (t *Task) rest() string {
	return strings.TrimSpace(t.note + "  " + Left(t.done, t.total, time.Since(t.start)))
}

// Left says how long the rest of the work will take at the mean speed so far,
// once that can be known.
func Left(done, total int64, passed time.Duration) string {
	if done <= 0 || total <= done || passed < 2*time.Second {
		return ""
	}
	rest := time.Duration(float64(passed) * float64(total-done) / float64(done))
	return rest.Round(time.Second).String() + " left"
}
