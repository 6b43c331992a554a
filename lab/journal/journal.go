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
	"sort"
	"strconv"
	"sync"
	"time"

	"github.com/google/renameio/v2"

	"ghostlab/images"
	"ghostlab/lab/crash"
	"ghostlab/lab/hunt"
	"ghostlab/lab/matrix"
)

// Run is run.json: what was asked and what ran.
type Run struct {
	ID        string        `json:"id"`
	Started   time.Time     `json:"started"`
	Lab       string        `json:"lab"` // the version of lab
	Scenario  string        `json:"scenario"`
	Matrix    string        `json:"matrix"` // the file, as it was named
	Trials    int           `json:"trials"` // of each cell
	Timeout   time.Duration `json:"timeout"`
	Seed      uint64        `json:"seed"`
	Engine    string        `json:"engine"`
	Shift     int           `json:"shift"` // of the deterministic engine
	Isolation string        `json:"isolation"`
	// Search is "hunt" where the trials' schedules were chosen to make them
	// fail: their counts are no rates of the program.
	Search string `json:"search,omitempty"`
	// Hunts are what a hunt has learnt, by cell.
	Hunts [][]hunt.Tally `json:"hunts,omitempty"`
	Axes  []matrix.Axis  `json:"axes"`
	Cells []matrix.Cell  `json:"cells"`
	// Commands are what each cell's trials execute, by the cell's index.
	Commands []Command `json:"commands"`
	Kernel   Kernel    `json:"kernel"`
	Go       string    `json:"go"` // where no axis says otherwise
	QEMU     string    `json:"qemu"`
	Host     Host      `json:"host"`
	// Guest is the machine: QEMU's CPU model, vCPUs, MiB of memory.
	Guest Guest `json:"guest"`
	// Images are the manifests by toolchain.
	Images map[string]images.Manifest `json:"images"`
	// Verification says whether deterministic trials repeated. Nil until that
	// was checked.
	Verification *Verification `json:"verification,omitempty"`
}

// Verification is the result of running some deterministic trials twice.
type Verification struct {
	Checked   int `json:"checked"`
	Identical int `json:"identical"`
	// Diverged are the numbers of those that differed.
	Diverged []int `json:"diverged,omitempty"`
}

// Command is what a trial executes in the guest.
type Command struct {
	Argv []string `json:"argv"`
	Env  []string `json:"env"`
}

// Kernel says which kernel was asked for and which one ran.
type Kernel struct {
	Asked string `json:"asked"`
	Ran   string `json:"ran"`
	// Release is what the guest itself said: uname -r.
	Release string `json:"release"`
	StandIn bool   `json:"stand_in"`
	// Why says what was wrong with the sources of the one asked for.
	Why    string `json:"why,omitempty"`
	Source string `json:"source"`
}

// Host is where QEMU ran.
type Host struct {
	OS    string `json:"os"`
	Arch  string `json:"arch"`
	CPU   string `json:"cpu"`
	Cores int    `json:"cores"`
}

// Guest is the machine a trial ran on, where no axis says otherwise.
type Guest struct {
	CPU    string `json:"cpu"`
	VCPUs  int    `json:"vcpus"`
	Memory int    `json:"memory_mib"`
	// Accelerator ran the parallel engine: tcg, kvm or hvf.
	Accelerator string `json:"accelerator"`
}

// Trial is one line of trials.jsonl.
type Trial struct {
	// N is the trial's number in the run, from 1.
	N       int           `json:"trial"`
	Cell    int           `json:"cell"`
	Outcome crash.Outcome `json:"outcome"`
	Title   string        `json:"title,omitempty"`
	Exit    int           `json:"exit"`
	Signal  int           `json:"signal,omitempty"`
	// Duration is the guest's time from exec to exit.
	Duration time.Duration `json:"duration"`
	// Schedule is what decided how the trial's threads interleaved.
	Schedule matrix.Schedule `json:"schedule"`
	// Digest identifies a deterministic execution: outcome, duration, and each
	// byte that the guest has shown. Empty in the parallel engine.
	Digest string `json:"digest,omitempty"`
	// Template is the digest of the snapshot that the guest was forked from.
	Template string `json:"template,omitempty"`
	// VM is the guest it ran in, Position its place there, from 1.
	VM       int `json:"vm"`
	Position int `json:"position"`
	// Ended is the host's time.
	Ended time.Time `json:"ended"`
	// Sample is set for trials whose fault records are kept even if they pass.
	Sample bool `json:"sample,omitempty"`
	// Faults is the number of fault records kept, Lost those that were not
	// recorded.
	Faults int   `json:"faults,omitempty"`
	Lost   int64 `json:"faults_lost,omitempty"`
	// Attempts is how often it was tried, when infrastructure failed.
	Attempts int `json:"attempts,omitempty"`
	// Error says what failed, for an infra outcome.
	Error string `json:"error,omitempty"`
}

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

// Find returns the folder of a run: a path, a name in dir, or with an empty
// name the newest run in dir.
func Find(dir, name string) (string, error) {
	if name != "" {
		for _, p := range []string{filepath.Join(dir, name), name} {
			if _, err := os.Stat(filepath.Join(p, runFile)); err == nil {
				return p, nil
			}
		}
		return "", &NoRunError{Dir: filepath.Join(dir, name)}
	}
	files, err := filepath.Glob(filepath.Join(dir, "*", runFile))
	if err != nil {
		return "", err
	}
	type dated struct {
		dir     string
		started time.Time
	}
	var runs []dated
	for _, f := range files {
		var run Run
		if b, err := os.ReadFile(f); err == nil && json.Unmarshal(b, &run) == nil {
			runs = append(runs, dated{filepath.Dir(f), run.Started})
		}
	}
	if len(runs) == 0 {
		return "", &NoRunError{Dir: dir}
	}
	sort.Slice(runs, func(i, j int) bool {
		a, b := runs[i], runs[j]
		if !a.started.Equal(b.started) {
			return a.started.Before(b.started)
		}
		return a.dir < b.dir
	})
	return runs[len(runs)-1].dir, nil
}

// FindTrial returns a run's folder and a trial's number from RUN/TRIAL, from a
// trial's folder, or from the number alone, which means the newest run.
func FindTrial(dir, name string) (run string, n int, err error) {
	name = filepath.Clean(name)
	number := filepath.Base(name)
	if n, err = strconv.Atoi(number); err != nil || n < 1 {
		return "", 0, &NoTrialError{Name: name}
	}
	runName := filepath.Dir(name)
	if filepath.Base(runName) == "trials" {
		runName = filepath.Dir(runName)
	}
	if name == number {
		runName = ""
	}
	run, err = Find(dir, runName)
	return run, n, err
}

// NoTrialError says that a name is no trial's.
type NoTrialError struct{ Name string }

func (e *NoTrialError) Error() string { return fmt.Sprintf("no trial %q", e.Name) }

// Hint says what to do about it.
func (e *NoTrialError) Hint() string {
	return "name it as RUN/TRIAL, such as 20261124-020841-ghost-map/17; a number alone means the newest run's"
}

// ReadEvidence returns what is kept of a trial.
func ReadEvidence(run string, n int) (Evidence, error) {
	dir := TrialDir(run, n)
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return Evidence{}, nil
	}
	if err != nil {
		return nil, err
	}
	ev := Evidence{}
	for _, e := range entries {
		if e.Type().IsRegular() {
			if ev[e.Name()], err = os.ReadFile(filepath.Join(dir, e.Name())); err != nil {
				return nil, err
			}
		}
	}
	return ev, nil
}

// NoRunError says that a folder holds no run.
type NoRunError struct{ Dir string }

func (e *NoRunError) Error() string { return "no run in " + e.Dir }

// Hint says what to do about it.
func (e *NoRunError) Hint() string {
	return "`lab run matrix.yaml` makes one; --runs names the folder that runs are in"
}
