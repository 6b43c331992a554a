// Package progress shows how far long work has come: lines that are kept up to
// date at the bottom of a terminal, a line now and then elsewhere. It writes to
// stderr's place only; results are not its business.
//
// No mode of the terminal is changed, so there is none to restore: whatever ends
// lab, the terminal works.
package progress

import (
	"fmt"
	"io"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"ghostlab/lab/visible"

	"golang.org/x/term"
)

// drawEvery is how often the lines on a terminal are brought up to date.
const drawEvery = 150 * time.Millisecond

// Output is where progress goes. A nil *Output is silent.
type Output struct {
	// Watch, when set before any work begins, is told how far each Task has
	// come, whatever w is: at its beginning, at its end, and at most once a
	// second in between.
	Watch func(Step)

	w   io.Writer
	tty *os.File // nil where there is no terminal

	mu     sync.Mutex
	parts  []*part
	frame  frame
	closed bool
	stop   chan struct{} // nil until something is drawn
	done   chan struct{}
}

// part is what draws some of the lines.
type part struct {
	lines func(width, height int) []string
}

// New returns an output on w, with lines that are kept up to date when w is a
// terminal. Call Close before anything else writes there.
func New(w io.Writer) *Output {
	o := &Output{w: w}
	if f, ok := w.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		o.tty = f
	}
	return o
}

// Terminal says whether the output is a terminal.
func (o *Output) Terminal() bool { return o != nil && o.tty != nil }

// Show keeps lines at the bottom of a terminal until end is called. They are
// asked for a few times a second, are cut to the width given, and should be no
// more than height. Where there is no terminal nothing is shown.
func (o *Output) Show(lines func(width, height int) []string) (end func()) {
	if !o.Terminal() {
		return func() {}
	}
	p := &part{lines: lines}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed {
		return func() {}
	}
	o.parts = append(o.parts, p)
	if o.stop == nil {
		o.stop, o.done = make(chan struct{}), make(chan struct{})
		go o.keep(o.stop, o.done)
	}
	return func() {
		o.mu.Lock()
		defer o.mu.Unlock()
		for i, other := range o.parts {
			if other == p {
				o.parts = append(o.parts[:i:i], o.parts[i+1:]...)
				o.draw("")
				return
			}
		}
	}
}

// keep draws until stop is closed. A lab that was stopped by ^Z and goes on has
// lost its place: the shell has written below.
func (o *Output) keep(stop, done chan struct{}) {
	defer close(done)
	resumed := make(chan os.Signal, 1)
	signal.Notify(resumed, syscall.SIGCONT)
	defer signal.Stop(resumed)
	tick := time.NewTicker(drawEvery)
	defer tick.Stop()
	for {
		select {
		case <-stop:
			return
		case <-resumed:
			o.mu.Lock()
			o.frame = frame{}
			o.mu.Unlock()
		case <-tick.C:
			o.mu.Lock()
			o.draw("")
			o.mu.Unlock()
		}
	}
}

// draw brings the lines up to date, with text above them that stays.
func (o *Output) draw(text string) {
	width, height, err := term.GetSize(int(o.tty.Fd()))
	if err != nil || width < 1 || height < 1 {
		width, height = 80, 24
	}
	var lines []string
	for _, p := range o.parts {
		// The cursor stands below the last line.
		if room := height - 1 - len(lines); room > 0 {
			part := p.lines(width-1, room)
			lines = append(lines, part[:min(len(part), room)]...)
		}
	}
	if b := o.frame.next(width, height, lines, text); len(b) > 0 {
		o.w.Write(b)
	}
}

// Close takes the lines off the screen. It may be called again.
func (o *Output) Close() {
	if o == nil || o.tty == nil {
		return
	}
	o.mu.Lock()
	stop, done := o.stop, o.done
	o.stop, o.parts, o.closed = nil, nil, true
	o.draw("")
	o.mu.Unlock()
	if stop != nil {
		close(stop)
		<-done
	}
}

// Printf writes a line above those that are kept up to date. What could act on a
// terminal is taken out of it: a guest's words may be in it.
func (o *Output) Printf(format string, args ...any) {
	if o == nil {
		return
	}
	text := visible.Text(fmt.Sprintf(format, args...), true) + "\n"
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.tty != nil && !o.closed {
		o.draw(text)
		return
	}
	io.WriteString(o.w, text)
}
