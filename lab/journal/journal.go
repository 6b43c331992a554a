// Package journal is a run on disk: run.json, trials.jsonl and the evidence of
// each trial. It owns the layout and its survival: how a run goes on, how parts
// become one, and what follows from the trials alone, such as which cells have
// stopped. What to write is the runner's business, what to say of it the report's.
package journal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"github.com/gofrs/flock"

	"ghostlab/lab/hunt"
)

// Folder is a run's folder that is being written. No other lab writes it
// meanwhile: trials.jsonl is locked.
type Folder struct {
	dir  string
	root root
	lock *flock.Flock

	mu      sync.Mutex
	log     *os.File
	opened  os.FileInfo // of log
	size    int64       // of the whole lines in log
	synced  time.Time   // when all was last to be made safe against a power failure
	syncing bool
	syncs   sync.WaitGroup
	broken  error // why nothing more is written
	run     Run
	stopper *stopper
	keeper  *keeper

	// as they were when the folder was opened
	done    Numbers
	results []int // by cell
	vms     int
}

const (
	runFile    = "run.json"
	trialsFile = "trials.jsonl"
	// MatrixFile is a copy of the matrix file in the run's folder.
	MatrixFile = "matrix.yaml"

	trialsDir = "trials" // a folder for each trial's evidence
	vmsDir    = "vms"    // and for each guest that trials share
)

// syncEvery is how much a failure of the host's power may cost. It is far more
// than a sync takes on a disk that has little to write, some 10 ms.
const syncEvery = 5 * time.Second

// Create makes the folder of a new run in dir. The run's ID becomes its name;
// where that is taken a number is added.
func Create(dir string, run Run) (*Folder, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("create run: %w", err)
	}
	id := run.ID
	for n := 2; ; n++ {
		err := os.Mkdir(filepath.Join(dir, run.ID), 0o755)
		if err == nil {
			break
		}
		if !errors.Is(err, fs.ErrExist) {
			return nil, fmt.Errorf("create run: %w", err)
		}
		run.ID = fmt.Sprintf("%s-%d", id, n)
	}
	f := &Folder{dir: filepath.Join(dir, run.ID), run: run, stopper: newStopper(run), keeper: newKeeper(run.Collect.Failures)}
	err := f.open()
	if err == nil {
		err = f.save() // last: what has no run.json is no run
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// KeepMatrix keeps the text of the matrix file, with which a resumed run's is
// compared.
func (f *Folder) KeepMatrix(text []byte) error { return f.root.write(MatrixFile, text) }

// open locks the log and opens it for what is appended.
func (f *Folder) open() error {
	var err error
	if f.root, err = openRoot(f.dir); err != nil {
		return err
	}
	// Guests write into these by their paths.
	for _, name := range []string{trialsDir, vmsDir} {
		if err := f.root.folders(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	f.synced = time.Now()
	if f.log, err = f.root.open(trialsFile, os.O_RDWR|os.O_CREATE|os.O_APPEND); err != nil {
		return err
	}
	f.lock = flock.New(filepath.Join(f.dir, trialsFile), flock.SetFlag(os.O_RDONLY))
	// `lab show` holds it for a moment to see whether somebody writes.
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if _, err := f.lock.TryLockContext(ctx, 50*time.Millisecond); errors.Is(err, context.DeadlineExceeded) {
		return &BusyError{Dir: f.dir}
	} else if err != nil {
		return err
	}
	f.opened, err = f.log.Stat()
	return err
}

// Running says whether a lab is writing the run in dir.
func Running(dir string) bool {
	running := false
	within(dir, func(r root) error {
		if err := r.check(trialsFile); err != nil {
			return err // opening a pipe would wait for a writer
		}
		lock := flock.New(r.path(trialsFile), flock.SetFlag(os.O_RDONLY))
		free, err := lock.TryRLock()
		if free {
			lock.Unlock()
		}
		running = err == nil && !free
		return err
	})
	return running
}

// BusyError says that another lab is writing a run.
type BusyError struct{ Dir string }

func (e *BusyError) Error() string { return "another lab is running " + e.Dir }

// BadInput marks what the user can mend, see usage.IsBadInput.
func (*BusyError) BadInput() {}

// Hint says what to do about it.
func (e *BusyError) Hint() string { return "wait until it has ended, or end it" }

// Dir is the run's folder.
func (f *Folder) Dir() string { return f.dir }

// SetRelease records what a guest calls its kernel, which was asked for as
// series. The first answer stays.
func (f *Folder) SetRelease(series, release string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := range f.run.Kernels {
		if k := &f.run.Kernels[i]; k.Asked == series && k.Release == "" {
			k.Release = release
			return f.save()
		}
	}
	return nil
}

func (f *Folder) save() error {
	err := f.there()
	if err == nil {
		err = f.root.writeRun(&f.run, true)
	}
	return notKept(runFile, err)
}

// writeRun writes run.json, that of a run of this user's or not.
func (r root) writeRun(run *Run, authentic bool) error {
	text, err := encode(run)
	if err != nil {
		return err
	}
	if authentic {
		text = sealed(runFile, text)
	}
	return r.write(runFile, text)
}

// AddVerification records whether deterministic trials of all sessions so far
// repeated, beside what earlier ones have checked.
func (f *Folder) AddVerification(v Verification) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.run.Verification = f.run.Verification.plus(&v)
	for i := range f.run.Sessions {
		f.run.Sessions[i].Verified = true
	}
	return f.save()
}

// SetHunts records what hunts have learnt, by cell, and what they have found.
func (f *Folder) SetHunts(h [][]hunt.Tally, found []Found) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.run.Hunts, f.run.Found = h, found
	return f.save()
}

// Trial is the folder of a trial's evidence.
func (f *Folder) Trial(n int) string { return TrialDir(f.dir, n) }

// TrialDir is the folder of a trial's evidence in a run's folder.
func TrialDir(run string, n int) string { return filepath.Join(run, trialsDir, strconv.Itoa(n)) }

// ReadGuest returns a file of a guest that trials of the run in dir share, of at most
// so many bytes.
func ReadGuest(dir string, n int, name string, most int64) ([]byte, error) {
	var text []byte
	err := within(dir, func(r root) (err error) {
		text, err = r.read(filepath.Join(VMDir("", n), name), most)
		return err
	})
	return text, err
}

// VM is the folder of a guest's console and spec, where trials share a guest.
func (f *Folder) VM(n int) string { return VMDir(f.dir, n) }

// VMDir is the folder of a guest's console and spec in a run's folder.
func VMDir(run string, n int) string { return filepath.Join(run, vmsDir, strconv.Itoa(n)) }

// KeepAgain keeps another execution of a trial beside the first, with its
// record: record.json is there when all of it is.
func (f *Folder) KeepAgain(n int, again Trial, evidence Evidence) error {
	dir := filepath.Join(TrialDir("", n), "again")
	record, err := json.MarshalIndent(again, "", "  ")
	if err != nil {
		return err
	}
	if err = f.there(); err == nil {
		err = f.root.writeEvidence(dir, evidence)
	}
	if err == nil {
		err = f.root.write(filepath.Join(dir, recordFile), record)
	}
	return notKept(fmt.Sprintf("the second execution of trial %d", n), err)
}

// Append writes a trial's evidence and then its line: a lab that is killed leaves
// no line without all its evidence. What ended before the last syncEvery a host that
// loses its power keeps too, lines and evidence. The error is a *WriteError, and wraps
// a *GoneError where the folder is not there any more.
func (f *Folder) Append(t Trial, evidence Evidence) error {
	what := fmt.Sprintf("trial %d", t.N)
	err := f.there()
	if err == nil {
		err = f.root.writeEvidence(TrialDir("", t.N), evidence)
	}
	if err != nil {
		return notKept(what, err)
	}
	line, err := json.Marshal(t)
	if err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.broken == nil {
		f.broken = f.write(append(line, '\n'))
	}
	if f.broken == nil {
		f.broken = f.stop(t)
	}
	if f.broken == nil && !f.syncing && time.Since(f.synced) >= syncEvery {
		f.sync()
	}
	return notKept(what, f.broken)
}

// sync has what was written put on the disk while trials go on: where others write to
// the disk too it can take long. The caller holds the lock.
func (f *Folder) sync() {
	f.syncing, f.synced = true, time.Now()
	f.syncs.Go(func() {
		err := syncAll(f.log)
		f.mu.Lock()
		defer f.mu.Unlock()
		f.syncing = false
		if f.broken == nil {
			f.broken = err
		}
	})
}

// write appends a line, all of it or nothing.
func (f *Folder) write(line []byte) error {
	if _, err := f.log.Write(line); err != nil {
		// The part that is there must not become the head of another line.
		return errors.Join(err, f.log.Truncate(f.size))
	}
	f.size += int64(len(line))
	return f.there()
}

// Close makes sure that the trials are on the disk, and lets other labs write. The
// second time it does nothing.
func (f *Folder) Close() error {
	f.syncs.Wait()
	var errs []error
	if f.log != nil {
		errs = append(errs, syncAll(f.log), f.log.Close(), f.there())
		f.log = nil
	}
	if f.lock != nil {
		errs = append(errs, f.lock.Close())
	}
	if f.root.Root != nil {
		errs = append(errs, f.root.Close())
	}
	return notKept("the end of the run", errors.Join(errs...))
}
