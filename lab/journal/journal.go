// Package journal is a run on disk: run.json, trials.jsonl and the evidence of
// each trial. It owns the layout and its survival; what to write is the
// runner's business, what to say of it the report's.
package journal

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"sync"

	"github.com/google/renameio/v2"

	"ghostlab/lab/hunt"
)

// Folder is a run's folder that is being written.
type Folder struct {
	dir string
	mu  sync.Mutex
	log *os.File
	run Run
}

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
	f := &Folder{dir: filepath.Join(dir, run.ID), run: run}
	if err := f.save(); err != nil {
		return nil, err
	}
	log, err := os.OpenFile(filepath.Join(f.dir, trialsFile), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644)
	f.log = log
	return f, err
}

const (
	runFile    = "run.json"
	trialsFile = "trials.jsonl"
)

// Dir is the run's folder, ID its name.
func (f *Folder) Dir() string { return f.dir }

// ID is the run's name.
func (f *Folder) ID() string { return f.run.ID }

// SetRelease records what the guest calls its kernel. The first answer stays.
func (f *Folder) SetRelease(release string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.run.Kernel.Release != "" {
		return nil
	}
	f.run.Kernel.Release = release
	return f.save()
}

func (f *Folder) save() error {
	b, err := json.MarshalIndent(f.run, "", "  ")
	if err != nil {
		return err
	}
	return renameio.WriteFile(filepath.Join(f.dir, runFile), append(b, '\n'), 0o644)
}

// SetVerification records whether deterministic trials repeated.
func (f *Folder) SetVerification(v Verification) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.run.Verification = &v
	return f.save()
}

// SetHunts records what a hunt has learnt, by cell.
func (f *Folder) SetHunts(h [][]hunt.Tally) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.run.Hunts = h
	return f.save()
}

// Trial is the folder of a trial's evidence.
func (f *Folder) Trial(n int) string { return TrialDir(f.dir, n) }

// TrialDir is the folder of a trial's evidence in a run's folder.
func TrialDir(run string, n int) string { return filepath.Join(run, "trials", strconv.Itoa(n)) }

// VM is the folder of a guest's console and spec, where trials share a guest.
func (f *Folder) VM(n int) string { return VMDir(f.dir, n) }

// VMDir is the folder of a guest's console and spec in a run's folder.
func VMDir(run string, n int) string { return filepath.Join(run, "vms", strconv.Itoa(n)) }

// Evidence are the files kept of a trial, by name.
type Evidence map[string][]byte

func (e Evidence) write(dir string) error {
	for name, content := range e {
		if len(content) == 0 {
			continue
		}
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// KeepAgain keeps another execution of a trial beside the first, with its
// record.
func (f *Folder) KeepAgain(n int, again Trial, evidence Evidence) error {
	dir := filepath.Join(f.Trial(n), "again")
	record, err := json.MarshalIndent(again, "", "  ")
	if err != nil {
		return err
	}
	if evidence == nil {
		evidence = Evidence{}
	}
	evidence["record.json"] = record
	return evidence.write(dir)
}

// Append writes a trial's evidence and then its line: a line that is there has
// all its evidence.
func (f *Folder) Append(t Trial, evidence Evidence) error {
	if err := evidence.write(f.Trial(t.N)); err != nil {
		return fmt.Errorf("trial %d: %w", t.N, err)
	}
	line, err := json.Marshal(t)
	if err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, err := f.log.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("trial %d: %w", t.N, err)
	}
	return nil
}

// Close makes sure that the trials are on the disk.
func (f *Folder) Close() error { return errors.Join(f.log.Sync(), f.log.Close()) }

// Open reads a run's folder and calls each with every trial, in the order they
// ended. A torn last line, as a killed lab can leave, is passed over.
func Open(dir string, each func(Trial)) (*Run, error) {
	b, err := os.ReadFile(filepath.Join(dir, runFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &NoRunError{Dir: dir}
	}
	if err != nil {
		return nil, err
	}
	run := &Run{}
	if err := json.Unmarshal(b, run); err != nil {
		return nil, fmt.Errorf("%s: %w", filepath.Join(dir, runFile), err)
	}
	file, err := os.Open(filepath.Join(dir, trialsFile))
	if err != nil {
		return nil, err
	}
	defer file.Close()
	in := bufio.NewReaderSize(file, 1<<16)
	for n := 1; ; n++ {
		line, err := in.ReadBytes('\n')
		if err != nil {
			return run, nil // the end, or a torn line
		}
		var t Trial
		if err := json.Unmarshal(bytes.TrimSpace(line), &t); err != nil {
			return nil, fmt.Errorf("%s:%d: %w", file.Name(), n, err)
		}
		if t.Cell < 0 || t.Cell >= len(run.Cells) {
			return nil, fmt.Errorf("%s:%d: cell %d of %d", file.Name(), n, t.Cell, len(run.Cells))
		}
		each(t)
	}
}
