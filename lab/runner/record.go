package runner

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"

	"ghostlab/lab/journal"
	"ghostlab/lab/vm"
)

// Recordable returns nil for a trial that can be recorded, else a *VCPUsError.
// The trial is one of the deterministic engine.
func Recordable(t journal.Trial) error {
	if t.Schedule.VCPUs != 1 {
		return &VCPUsError{Trial: t.N, VCPUs: t.Schedule.VCPUs}
	}
	return nil
}

// Record runs the trial once more, with a log of all that its guest is a
// function of. Where the execution is identical to the trial, and a replay of
// the log ends where it does, the log is kept in the run's folder. Else the
// record is nil and the execution says what differs.
func (p *Replayer) Record() (*journal.Record, Execution, error) {
	if err := Recordable(p.first); err != nil {
		return nil, Execution{}, err
	}
	scratch, remove, err := vm.Scratch()
	if err != nil {
		return nil, Execution{}, err
	}
	defer remove()
	t := *p.turn
	t.log = filepath.Join(scratch, "log")
	// The guest runs to its end, beyond the trial where others share it: its
	// log is complete only then.
	got, err := t.again(scratch, 0)
	e := got[p.first.N]
	if err != nil || e.Digest != p.first.Digest {
		return nil, e, err
	}
	rec := journal.Record{QEMU: t.run.Machine.Version, Template: p.first.Template, Digest: e.Digest}
	if rec.Start, rec.End, err = p.rehearse(t.log, scratch); err != nil {
		return nil, e, err
	}
	rec, err = journal.KeepRecord(p.dir, p.first.N, rec, t.log)
	return &rec, e, err
}

// rehearse follows the log of a guest whose console is in scratch, and returns
// the instructions at which it began and ended.
func (p *Replayer) rehearse(log, scratch string) (start, end int64, err error) {
	dir := filepath.Join(scratch, "replay")
	r, err := p.follow(log, dir)
	if err != nil {
		return 0, 0, err
	}
	defer r.Close()
	stop, err := r.Continue(p.turn.run.ctx)
	if err != nil {
		return 0, 0, err
	}
	recorded, err := os.ReadFile(filepath.Join(scratch, vm.LogName))
	if err != nil {
		return 0, 0, err
	}
	replayed, err := os.ReadFile(filepath.Join(dir, vm.LogName))
	if err != nil {
		return 0, 0, err
	}
	recorded, replayed = unstamped(recorded), unstamped(replayed)
	// The recorded guest goes on for a while after its last trial.
	rest, same := bytes.CutPrefix(recorded, replayed)
	if !same || bytes.Contains(rest, []byte("lab: trial ")) {
		n, was, is := firstDifference(recorded, replayed)
		return 0, 0, &vm.InfraError{What: fmt.Sprintf("the log does not replay: console line %d: %q, now %q", n, was, is)}
	}
	return r.Start(), stop.Instructions, nil
}

// unstamped is a guest's console without the host's time on each line.
func unstamped(log []byte) []byte {
	var out []byte
	for line := range bytes.Lines(log) {
		_, line, _ = bytes.Cut(line, []byte("] "))
		out = append(out, line...)
	}
	return out
}

// follow starts the replay of a log.
func (p *Replayer) follow(log, dir string) (*vm.Replay, error) {
	cfg, err := p.turn.config()
	if err != nil {
		return nil, err
	}
	cfg.Dir = dir
	return vm.OpenReplay(p.turn.run.ctx, cfg, log)
}

// Open starts the replay of the trial's record and stops it where the record
// begins, for a debugger: see vm.Replay. It returns a *journal.NoRecordError
// where there is none to use, and a *RecorderError for a record of another QEMU.
func (p *Replayer) Open() (*vm.Replay, *journal.Record, error) {
	rec, err := journal.ReadRecord(p.dir, p.first.N)
	if err != nil {
		return nil, nil, err
	}
	if is := p.turn.run.Machine.Version; rec.QEMU != is {
		return nil, nil, &RecorderError{Trial: p.first.N, Was: rec.QEMU, Is: is}
	}
	r, err := p.follow(journal.RecordLog(p.dir, p.first.N), "")
	return r, rec, err
}

// VCPUsError says that a trial cannot be recorded.
type VCPUsError struct{ Trial, VCPUs int }

func (e *VCPUsError) Error() string {
	return fmt.Sprintf("trial %d ran with %d vCPUs, and QEMU records guests of one only", e.Trial, e.VCPUs)
}

// BadInput marks what the user can mend, see usage.IsBadInput.
func (*VCPUsError) BadInput() {}

// Hint says what to do about it.
func (e *VCPUsError) Hint() string {
	return "run it with the axis `vcpus: [1]`: goroutines and threads still take turns on one vCPU"
}

// RecorderError says that a record is another QEMU's.
type RecorderError struct {
	Trial   int
	Was, Is string
}

func (e *RecorderError) Error() string {
	return fmt.Sprintf("trial %d was recorded by QEMU %s, and this is %s, which may read the log otherwise", e.Trial, e.Was, e.Is)
}

// Hint says what to do about it.
func (e *RecorderError) Hint() string {
	return fmt.Sprintf("`lab replay --record RUN/%d` makes a new record", e.Trial)
}
