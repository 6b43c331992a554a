package journal

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"ghostlab/lab/crash"
	"ghostlab/lab/matrix"
)

// Merge makes one run of the shards in parts, in a new folder of runs, and
// returns that. Parts stay as they are; evidence is linked where the file system
// can, else copied. The result is Authentic where all parts are, or with trust. The
// error is a *ChangedError where they are not of one matrix, a *PartsError where some
// are missing, and the context's when that ends it.
func Merge(ctx context.Context, runs string, parts []string, trust bool) (string, error) {
	m := &merger{ctx: ctx}
	for _, dir := range parts {
		if err := m.read(dir); err != nil {
			return "", err
		}
	}
	if err := m.check(); err != nil {
		return "", err
	}
	if err := os.MkdirAll(runs, 0o755); err != nil {
		return "", err
	}
	staging, err := os.MkdirTemp(runs, ".merge-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(staging)
	run, err := m.write(staging)
	if err != nil {
		return "", fmt.Errorf("merge: %w", err)
	}
	foreign := slices.ContainsFunc(m.parts, func(p part) bool { return !p.run.authentic })
	return publish(staging, runs, run, trust || !foreign)
}

// part is one of the runs that are merged.
type part struct {
	dir   string
	run   *Run
	lacks int // trials that have no record
	vms   int
}

type merger struct {
	ctx   context.Context
	parts []part
}

func (m *merger) read(dir string) error {
	run, err := ReadRun(dir)
	if err != nil {
		return err
	}
	if run.Shard.Whole() {
		return &PartsError{Problems: []string{run.ID + " is no part but a run of the whole matrix"}}
	}
	if Running(dir) {
		return &BusyError{Dir: dir}
	}
	p := part{dir: dir, run: run}
	if err := within(dir, func(r root) error { p.vms = r.highest(vmsDir); return nil }); err != nil {
		return err
	}
	belongs := membership(run)
	done := make([]int, len(run.Cells))
	var alien error
	_, err = Open(dir, func(t Trial) {
		if !belongs.Has(t.N) && alien == nil {
			alien = &PartsError{Problems: []string{fmt.Sprintf("trial %d of %s is not one of part %s", t.N, run.ID, run.Shard)}}
		}
		p.vms = max(p.vms, t.VM)
		done[t.Cell]++
	})
	if err := errors.Join(err, alien); err != nil {
		return err
	}
	stopped := newStopper(*run)
	for cell, n := range done {
		if _, ended := stopped.ended[cell]; !ended {
			p.lacks += max(0, run.Planned(cell)-n)
		}
	}
	m.parts = append(m.parts, p)
	return nil
}

// membership are the numbers of a shard's trials.
func membership(run *Run) Numbers {
	var own Numbers
	before := make([]int, len(run.Cells))
	for i, cell := range matrix.Order(len(run.Cells), run.Trials, run.Seed) {
		if run.Shard.Has(int(cell), before[cell]) {
			own.Add(i + 1)
		}
		before[cell]++
	}
	return own
}

// check says whether the parts are all of one matrix and nothing else.
func (m *merger) check() error {
	first := m.parts[0].run
	e := &PartsError{}
	owner := map[int]string{}
	for _, p := range m.parts {
		changes := Compare(first, p.run)
		if p.run.Shard.Of != first.Shard.Of {
			changes = append(changes, Change{"number of parts", strconv.Itoa(first.Shard.Of), strconv.Itoa(p.run.Shard.Of)})
		}
		if len(changes) > 0 {
			return &ChangedError{What: fmt.Sprintf("%s and %s are no parts of one run:", first.ID, p.run.ID), Changes: changes,
				Remedy: "parts are runs of one matrix file with the same lab, QEMU and flags, but for --shard"}
		}
		if other, taken := owner[p.run.Shard.Index]; taken {
			e.add("part %s is there twice: %s and %s", p.run.Shard, other, p.dir)
		}
		owner[p.run.Shard.Index] = p.dir
		if p.lacks > 0 {
			e.add("part %s lacks %d trials: `lab run --resume %s` runs them", p.run.Shard, p.lacks, p.dir)
		}
	}
	for i := 1; i <= first.Shard.Of; i++ {
		if _, ok := owner[i]; !ok {
			e.add("part %s is missing", matrix.Shard{Index: i, Of: first.Shard.Of})
		}
	}
	if len(e.Problems) > 0 {
		return e
	}
	return nil
}

// write writes the merged run into dir, but for its run.json, and returns it.
func (m *merger) write(dir string) (Run, error) {
	run := *m.parts[0].run
	run.Shard, run.Sessions, run.Stopped, run.Verification = matrix.Shard{}, nil, nil, nil
	to, err := openRoot(dir)
	if err != nil {
		return run, err
	}
	defer to.Close()
	text, err := ReadMatrix(m.parts[0].dir)
	if err == nil && text != nil {
		err = to.write(MatrixFile, text)
	}
	if err != nil {
		return run, err
	}
	log, err := to.open(trialsFile, os.O_WRONLY|os.O_CREATE)
	if err != nil {
		return run, err
	}
	defer log.Close()
	out := bufio.NewWriter(log)
	stopped := map[int]bool{}
	vms := 0
	for _, p := range m.parts {
		if err := p.copyTo(m.ctx, to, out, vms); err != nil {
			return run, err
		}
		for _, s := range p.run.Sessions {
			s.FirstVM += vms
			run.Sessions = append(run.Sessions, s)
		}
		for _, e := range p.run.Stopped {
			if !stopped[e.Cell] {
				run.Stopped = append(run.Stopped, e)
			}
			stopped[e.Cell] = true
		}
		run.Verification = run.Verification.plus(p.run.Verification)
		vms += p.vms
	}
	return run, errors.Join(out.Flush(), log.Sync(), log.Close())
}

// copyTo adds the part's trials and evidence to a run in which there are so many
// guests already.
func (p part) copyTo(ctx context.Context, to root, log io.Writer, vms int) error {
	from, err := openRoot(p.dir)
	if err != nil {
		return err
	}
	defer from.Close()
	var failed error
	_, err = Open(p.dir, func(t Trial) {
		if failed == nil {
			failed = ctx.Err()
		}
		if failed != nil {
			return
		}
		t.VM += vms
		line, err := json.Marshal(t)
		if err == nil {
			_, err = log.Write(append(line, '\n'))
		}
		if err == nil && t.Outcome != crash.Infra {
			err = from.link(TrialDir("", t.N), to, TrialDir("", t.N))
		}
		failed = err
	})
	if err = errors.Join(err, failed); err != nil {
		return err
	}
	for _, k := range from.numbered(vmsDir) {
		if err := errors.Join(ctx.Err(), from.link(VMDir("", k), to, VMDir("", k+vms))); err != nil {
			return err
		}
	}
	return nil
}

// link makes a folder's files those of a folder of another run too. A folder that is
// not there is none, and what is no regular file is left out.
func (r root) link(name string, to root, target string) error {
	if err := r.folders(name); errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		return err
	}
	return fs.WalkDir(r.FS(), filepath.ToSlash(name), func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(name, path)
		if err != nil {
			return err
		}
		as := filepath.Join(target, rel)
		switch {
		case d.IsDir():
			return to.folder(as)
		case !d.Type().IsRegular() || os.Link(r.path(path), to.path(as)) == nil:
			return nil
		}
		return r.copyFile(path, to, as)
	})
}

func (r root) copyFile(name string, to root, target string) error {
	in, err := r.open(name, os.O_RDONLY)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := to.open(target, os.O_WRONLY|os.O_CREATE|os.O_TRUNC)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}

// publish gives a folder its run.json, that of a run of this user's or not, and its name.
func publish(staging, runs string, run Run, authentic bool) (string, error) {
	run.Started = time.Now().UTC()
	id := run.Started.Format(IDTime) + "-" + run.Scenario
	if err := os.Chmod(staging, 0o755); err != nil {
		return "", err
	}
	for n := 1; ; n++ {
		if run.ID = id; n > 1 {
			run.ID = fmt.Sprintf("%s-%d", id, n)
		}
		if err := within(staging, func(r root) error { return r.writeRun(&run, authentic) }); err != nil {
			return "", err
		}
		to := filepath.Join(runs, run.ID)
		err := os.Rename(staging, to)
		if err == nil || !errors.Is(err, fs.ErrExist) {
			return to, err
		}
	}
}

// plus adds two verifications, either of which may be nil.
func (v *Verification) plus(other *Verification) *Verification {
	if v == nil || other == nil {
		if v == nil {
			v = other
		}
		return v
	}
	return &Verification{
		Checked: v.Checked + other.Checked, Identical: v.Identical + other.Identical, Unchecked: v.Unchecked + other.Unchecked,
		Diverged: append(v.Diverged[:len(v.Diverged):len(v.Diverged)], other.Diverged...),
	}
}

// PartsError says why runs are not all parts of one.
type PartsError struct{ Problems []string }

func (e *PartsError) add(format string, args ...any) {
	e.Problems = append(e.Problems, fmt.Sprintf(format, args...))
}

func (e *PartsError) Error() string { return "merge: " + strings.Join(e.Problems, "\n  ") }

// BadInput marks what the user can mend, see usage.IsBadInput.
func (*PartsError) BadInput() {}

// Hint says what to do about it.
func (e *PartsError) Hint() string {
	return "`lab run MATRIX.yaml --shard i/n` runs part i; all n of them make a run"
}
