// Package progress shows how far long work has come: bars on a terminal, a line
// now and then elsewhere. It writes to stderr's place only; results are not its
// business.
package progress

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/vbauerster/mpb/v8"
	"golang.org/x/term"
)

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

// Close takes the bars, whose tasks must have ended, off the screen. It may be
// called again.
func (o *Output) Close() {
	if o == nil || o.bars == nil {
		return
	}
	// mpb draws from time to time, and Shutdown does not wait for it: bars that
	// ended a moment ago would stay, and lines written would not appear. Where
	// this bar has come and gone, both are done.
	if last, err := o.bars.Add(0, nil); err == nil {
		last.Abort(true)
		last.Wait()
	}
	o.bars.Shutdown()
}

// newLine goes to the beginning of a line and clears what is below. A Ctrl-C
// that the terminal echoes has moved the cursor to the right, and mpb moves it
// only up.
const newLine = "\r\x1b[J"

// Printf writes a line above the bars.
func (o *Output) Printf(format string, args ...any) {
	if o == nil {
		return
	}
	line := fmt.Sprintf(format, args...) + "\n"
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.bars != nil {
		if _, err := io.WriteString(o.bars, newLine+line); err == nil {
			return
		}
	}
	io.WriteString(o.w, line)
}

// Rows is how many bars fit on the screen: 0 where there is no terminal.
func (o *Output) Rows() int {
	if o == nil || o.bars == nil {
		return 0
	}
	_, height, err := term.GetSize(int(o.w.(*os.File).Fd()))
	if err != nil {
		return 0
	}
	// The cursor is below the bars, and Close draws one of its own.
	return max(0, height-2)
}
