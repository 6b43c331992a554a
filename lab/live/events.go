package live

import (
	"encoding/json"
	"io"
	"sync"
	"time"

	"ghostlab/lab/journal"
	"ghostlab/lab/matrix"
	"ghostlab/lab/progress"
)

// Event is one line of --json-events. Which fields there are depends on Event:
//
//	plan          run, dir, scenario, axes, cells, trials: a run begins
//	build         name, done, total, bytes, ended: work before it, at most once
//	              a second for each name; a total of 0 is not known
//	guest         command: a guest starts; the line can be pasted into a shell
//	trial         trial: one has ended, as in trials.jsonl
//	cell-stopped  cell: it needs no more trials
//	trouble       text: something that is tried again, or a choice of the lab's
//	end           code, error: the exit code, and why it is not 0
//
// More fields and events may come; readers pass over what they do not know.
type Event struct {
	Time  time.Time `json:"time"`
	Event string    `json:"event"`

	Run      string        `json:"run,omitempty"`
	Dir      string        `json:"dir,omitempty"`
	Scenario string        `json:"scenario,omitempty"`
	Axes     []matrix.Axis `json:"axes,omitempty"`
	Cells    []matrix.Cell `json:"cells,omitempty"`
	// Trials is the number of each cell, or the most that one gets.
	Trials int `json:"trials,omitempty"`

	Name  string `json:"name,omitempty"`
	Done  int64  `json:"done,omitempty"`
	Total int64  `json:"total,omitempty"`
	Bytes bool   `json:"bytes,omitempty"`
	Ended bool   `json:"ended,omitempty"`

	Command string         `json:"command,omitempty"`
	Trial   *journal.Trial `json:"trial,omitempty"`
	// Cell is the index of one of the plan's cells.
	Cell *int   `json:"cell,omitempty"`
	Text string `json:"text,omitempty"`

	Code  *int   `json:"code,omitempty"`
	Error string `json:"error,omitempty"`
}

// Events writes events, each at once. A nil *Events writes none.
type Events struct {
	mu   sync.Mutex
	w    io.Writer
	dead bool
	// Lost is called once, when a line cannot be written. No more are then.
	Lost func(error)
}

// NewEvents writes to w.
func NewEvents(w io.Writer) *Events { return &Events{w: w} }

func (e *Events) emit(ev Event) {
	if e == nil {
		return
	}
	ev.Time = time.Now().UTC()
	line, err := json.Marshal(ev)
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.dead {
		return
	}
	if err == nil {
		_, err = e.w.Write(append(line, '\n'))
	}
	if e.dead = err != nil; e.dead && e.Lost != nil {
		e.Lost(err)
	}
}

// Plan says that a run begins.
func (e *Events) Plan(r journal.Run, dir string) {
	e.emit(Event{Event: "plan", Run: r.ID, Dir: dir, Scenario: r.Scenario, Axes: r.Axes, Cells: r.Cells, Trials: r.Trials})
}

// Build says how far work before a run has come.
func (e *Events) Build(s progress.Step) {
	e.emit(Event{Event: "build", Name: s.Name, Done: s.Done, Total: s.Total, Bytes: s.Bytes, Ended: s.Ended})
}

// Guest says that a guest starts.
func (e *Events) Guest(command string) { e.emit(Event{Event: "guest", Command: command}) }

// Trial says that a trial has ended.
func (e *Events) Trial(t journal.Trial) { e.emit(Event{Event: "trial", Trial: &t}) }

// Stopped says that a cell needs no more trials.
func (e *Events) Stopped(cell int) { e.emit(Event{Event: "cell-stopped", Cell: &cell}) }

// Trouble passes on what the researcher should know.
func (e *Events) Trouble(text string) { e.emit(Event{Event: "trouble", Text: text}) }

// End says how lab ends.
func (e *Events) End(code int, err error) {
	ev := Event{Event: "end", Code: &code}
	if err != nil {
		ev.Error = err.Error()
	}
	e.emit(ev)
}
