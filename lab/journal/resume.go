package journal

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"slices"

	"ghostlab/lab/crash"
)

// Resume opens the run in dir for the trials that are missing, and calls each
// with every trial that is there, as Open does; each may be nil. A torn last line
// is cut off. The error is a *BusyError while another lab writes the run.
func Resume(dir string, each func(Trial)) (*Folder, error) {
	run, err := ReadRun(dir)
	if err != nil {
		return nil, err
	}
	f := &Folder{dir: dir, run: *run, stopper: newStopper(*run), keeper: newKeeper(run.Collect.Failures)}
	if err := f.reopen(each); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

func (f *Folder) reopen(each func(Trial)) error {
	if err := f.open(); err != nil {
		return err
	}
	if _, err := f.log.Seek(0, io.SeekStart); err != nil {
		return err
	}
	run := f.run
	f.results = make([]int, len(run.Cells))
	f.vms = f.root.highest(vmsDir)
	err := readTrials(f.log, f.root.path(trialsFile), &run, func(t Trial) {
		if e, ended := f.stopper.add(t); ended {
			f.run.Stopped = append(f.run.Stopped, e)
		}
		f.keeper.keeps(t)
		f.vms = max(f.vms, t.VM)
		if t.Outcome != crash.Infra {
			f.done.Add(t.N)
			f.results[t.Cell]++
		}
		if each != nil {
			each(t)
		}
	})
	if err == nil {
		err = f.mend() // not before it is known to be a lab's file
	}
	f.run.unchecked = run.unchecked
	if err == nil && len(f.run.Stopped) > len(run.Stopped) {
		err = f.save() // a killed lab had no time for it
	}
	return err
}

// mend cuts off what follows the last whole line.
func (f *Folder) mend() error {
	end, err := f.log.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	buf := make([]byte, 4096)
	for f.size = end; f.size > 0; {
		part := buf[:min(f.size, int64(len(buf)))]
		if _, err := f.log.ReadAt(part, f.size-int64(len(part))); err != nil {
			return err
		}
		i := bytes.LastIndexByte(part, '\n')
		f.size -= int64(len(part) - 1 - i)
		if i >= 0 {
			break
		}
	}
	if f.size == end {
		return nil
	}
	return f.log.Truncate(f.size)
}

// Done are the trials that had a result when the folder was opened.
func (f *Folder) Done() Numbers { return f.done }

// Missing is the number of trials that the run lacked when the folder was opened.
func (f *Folder) Missing() int {
	missing := 0
	for cell, n := range f.results {
		if !f.Stopped(cell) {
			missing += max(0, f.run.Planned(cell)-n)
		}
	}
	return missing
}

// VMs is the highest number of a guest when the folder was opened.
func (f *Folder) VMs() int { return f.vms }

// Run is the run as it is now.
func (f *Folder) Run() Run {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.run
}

// Continue records that another lab goes on with the run. What the last one has
// left of trials without a result is removed, for they begin anew.
func (f *Folder) Continue(s Session) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.clean(); err != nil {
		return err
	}
	s.FirstVM = f.vms + 1
	f.run.Sessions = append(f.run.Sessions, s)
	return f.save()
}

func (f *Folder) clean() error {
	for _, n := range f.root.numbered(trialsDir) {
		if f.done.Has(n) {
			continue
		}
		if err := f.root.RemoveAll(TrialDir("", n)); err != nil {
			return err
		}
	}
	return nil
}

// highest is the highest number that is a name in a folder.
func (r root) highest(dir string) int { return slices.Max(append(r.numbered(dir), 0)) }

// mostMatrix bounds a matrix file, in bytes; see scenarios.ParseYAML.
const mostMatrix = 1 << 20

// ReadMatrix returns the text of the matrix file that a run was made from; nil
// where there was none.
func ReadMatrix(dir string) ([]byte, error) {
	var text []byte
	err := within(dir, func(r root) (err error) {
		text, err = r.read(MatrixFile, mostMatrix)
		return err
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return text, err
}
