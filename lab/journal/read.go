package journal

import (
	"bytes"
	stdjson "encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"runtime"
	"slices"
	"sync"

	"github.com/segmentio/encoding/json"

	"ghostlab/lab/crash"
)

// mostRun bounds run.json, in bytes: twice what the largest matrix takes.
const mostRun = 128 << 20

// mostObjects bounds the objects in run.json, which take far more memory than text: each
// of 100,000 cells has some, and an axis in a title may look like one.
const mostObjects = 500_000

// ReadRun reads the run.json of the run in dir, and none of its trials. What no
// lab can have written is an error.
func ReadRun(dir string) (*Run, error) {
	var run *Run
	err := within(dir, func(r root) (err error) {
		run, err = r.readRun()
		return err
	})
	if errors.Is(err, fs.ErrNotExist) {
		err = &NoRunError{Dir: dir}
	}
	return run, err
}

func (r root) readRun() (*Run, error) {
	text, err := r.read(runFile, mostRun)
	if as := (*sizeError)(nil); errors.As(err, &as) {
		return nil, &RunError{r.path(runFile), err}
	}
	if err != nil {
		return nil, err
	}
	if objects, commas := bytes.Count(text, []byte("{")), bytes.Count(text, []byte(",")); objects > mostObjects || commas > 10*mostObjects {
		return nil, &RunError{r.path(runFile), fmt.Errorf("%d objects and %d commas are more than the largest matrix has", objects, commas)}
	}
	run := &Run{}
	// The standard library's decoder refuses what is nested too deep.
	if err = stdjson.Unmarshal(text, run); err == nil {
		err = run.valid()
	}
	if err != nil {
		return nil, &RunError{r.path(runFile), err}
	}
	run.authentic = authentic(runFile, text)
	return run, run.older(text)
}

// RunError says that a run.json is none that a lab has written.
type RunError struct {
	File string
	Err  error
}

func (e *RunError) Error() string { return fmt.Sprintf("%s: %v", e.File, e.Err) }

// BadInput marks what the user can mend, see usage.IsBadInput.
func (*RunError) BadInput() {}

func (e *RunError) Unwrap() error { return e.Err }

// Hint says what to do about it.
func (e *RunError) Hint() string {
	return "the file was changed or damaged, or is of a newer lab: see where the run's folder comes from"
}

// older takes over what older labs have written otherwise.
func (r *Run) older(text []byte) error {
	if r.Own == nil {
		return nil
	}
	var was struct {
		Own struct {
			// CC was the compiler's name. Which one it is, this host's settings say.
			CC string `json:"cc"`
		} `json:"own"`
	}
	err := stdjson.Unmarshal(text, &was)
	r.Own.Cgo = r.Own.Cgo || was.Own.CC != ""
	return err
}

// Open reads the run in dir and calls each with every trial, in the order they
// ended. A torn last line, as a killed lab can leave, is passed over, and so is
// the record of an infrastructure failure where the trial has a later one. What
// infrastructure failures are left come last. It uses all processors, and memory
// that does not grow with the number of trials.
func Open(dir string, each func(Trial)) (*Run, error) {
	run, err := ReadRun(dir)
	if err != nil {
		return nil, err
	}
	err = within(dir, func(r root) error {
		file, err := r.open(trialsFile, os.O_RDONLY)
		if errors.Is(err, fs.ErrNotExist) {
			return nil // killed before the first trial
		}
		if err != nil {
			return err
		}
		defer file.Close()
		return readTrials(file, r.path(trialsFile), run, each)
	})
	return run, err
}

// readTrials is Open for an open trials.jsonl of that name.
func readTrials(file io.Reader, name string, run *Run, each func(Trial)) error {
	s := &scan{name: name, run: run, each: each, infra: map[int]Trial{}}
	if err := decode(file, s.trial); err != nil {
		return err
	}
	for _, n := range slices.Sorted(maps.Keys(s.infra)) {
		each(s.infra[n])
	}
	return nil
}

// scan checks trials on their way.
type scan struct {
	name  string
	run   *Run
	each  func(Trial)
	seen  Numbers
	infra map[int]Trial // waiting for a later record
}

func (s *scan) trial(line int, t Trial, err error) error {
	if err == nil {
		err = s.run.check(t)
	}
	if err == nil && s.seen.Has(t.N) && t.Outcome != crash.Infra {
		err = fmt.Errorf("trial %d is there twice", t.N)
	}
	if err != nil {
		return &DamageError{File: s.name, Line: line, Err: err}
	}
	switch {
	case s.seen.Has(t.N):
	case t.Outcome == crash.Infra:
		s.infra[t.N] = t
	default:
		delete(s.infra, t.N)
		s.seen.Add(t.N)
		if t.Digest != "" && !s.run.Verified(t.VM) {
			s.run.unchecked++
		}
		s.each(t)
	}
	return nil
}

// DamageError is a line of trials.jsonl that no lab has written.
type DamageError struct {
	File string
	Line int
	Err  error
}

func (e *DamageError) Error() string { return fmt.Sprintf("%s:%d: %v", e.File, e.Line, e.Err) }

// BadInput marks what the user can mend, see usage.IsBadInput.
func (*DamageError) BadInput() {}

func (e *DamageError) Unwrap() error { return e.Err }

// Hint says what to do about it.
func (e *DamageError) Hint() string {
	return fmt.Sprintf("the file was changed or damaged; without that line (sed -i %dd %s) the run can be read,\n"+
		"and `lab run --resume` runs the line's trial again", e.Line, e.File)
}

// chunkSize is what one processor decodes at a time: some 3000 trials.
const chunkSize = 1 << 20

// longestLine bounds a line of trials.jsonl, in bytes. A lab's own are some 400, and
// a few KiB with what failed of the infrastructure.
const longestLine = chunkSize

// chunk is a piece of whole lines.
type chunk struct {
	text   []byte
	line   int // the number of the first, from 1
	trials []Trial
	errs   map[int]error // by index in trials
	// tooLong says that its one line is longer than longestLine.
	tooLong bool
	done    chan struct{}
}

// errLong is the error of a line that is longer than longestLine.
var errLong = fmt.Errorf("the line is longer than %d MiB", longestLine>>20)

// mostBrackets is the number of brackets in a line from which on it is decoded by the
// standard library, which bounds how deep it is nested. A trial's own are 3, and what
// its signature holds.
const mostBrackets = 64

// decode calls each with every whole line of in, in order, until it returns an
// error. Each line is decoded, or has an error; several processors do that.
func decode(in io.Reader, each func(line int, t Trial, err error) error) error {
	var (
		// What is queued bounds the memory.
		queue   = make(chan *chunk, 2*runtime.GOMAXPROCS(0))
		ordered = make(chan *chunk, cap(queue))
		quit    = make(chan struct{})
		workers sync.WaitGroup
		failed  error // of reading
	)
	defer workers.Wait()
	defer close(quit)
	workers.Go(func() {
		defer close(ordered)
		defer close(queue)
		failed = cut(in, func(c *chunk) bool {
			for _, to := range []chan *chunk{ordered, queue} {
				select {
				case to <- c:
				case <-quit:
					return false
				}
			}
			return true
		})
	})
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for c := range queue {
				c.decode()
			}
		})
	}
	for c := range ordered {
		<-c.done
		for i, t := range c.trials {
			if err := each(c.line+i, t, c.errs[i]); err != nil {
				return err
			}
		}
	}
	return failed
}

// cut reads chunks until there are no more whole lines, or send returns false. A line
// that is too long is an error.
func cut(in io.Reader, send func(*chunk) bool) error {
	var rest []byte
	for line := 1; ; {
		if len(rest) > longestLine {
			whole, err := skipLine(in, rest)
			if whole {
				send(&chunk{text: []byte("\n"), line: line, done: make(chan struct{}), tooLong: true})
			}
			return err
		}
		buf := make([]byte, len(rest)+chunkSize)
		n, err := io.ReadFull(in, buf[copy(buf, rest):])
		buf = buf[:len(rest)+n]
		end := bytes.LastIndexByte(buf, '\n') + 1
		rest = buf[end:]
		if end > 0 {
			c := &chunk{text: buf[:end], line: line, done: make(chan struct{})}
			line += bytes.Count(c.text, []byte("\n"))
			if !send(c) {
				return nil
			}
		}
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// mostTorn bounds what a killed lab or a power failure can leave of a line, in bytes.
const mostTorn = 64 << 20

// skipLine reads up to the end of a line and says whether there is one, or whether what
// is there instead is too long to be the beginning of one.
func skipLine(in io.Reader, buf []byte) (whole bool, err error) {
	for skipped := 0; ; {
		n, err := in.Read(buf)
		skipped += n
		switch {
		case skipped > mostTorn:
			return true, nil
		case bytes.IndexByte(buf[:n], '\n') >= 0:
			return true, nil
		case err == io.EOF:
			return false, nil
		case err != nil:
			return false, err
		}
	}
}

func (c *chunk) decode() {
	defer close(c.done)
	c.trials = make([]Trial, bytes.Count(c.text, []byte("\n")))
	for i := range c.trials {
		line, rest, _ := bytes.Cut(c.text, []byte("\n"))
		c.text = rest
		unmarshal := json.Unmarshal
		if bytes.Count(line, []byte("{"))+bytes.Count(line, []byte("[")) > mostBrackets {
			unmarshal = stdjson.Unmarshal
		}
		err := unmarshal(line, &c.trials[i])
		if c.tooLong {
			err = errLong
		}
		if err != nil {
			if c.errs == nil {
				c.errs = map[int]error{}
			}
			c.errs[i] = err
		}
	}
	c.text = nil
}
