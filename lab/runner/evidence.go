package runner

import (
	"os"
	"path/filepath"

	"ghostlab/lab/crash"
	"ghostlab/lab/journal"
	"ghostlab/lab/matrix"
	"ghostlab/lab/vm"
)

// CoreFile is a core of a program that failed, compressed by zstd.
const CoreFile = "core.zst"

// evidenceOf says which evidence each file of a trial is. What is not here,
// crash.json, is a part of the trial's record.
var evidenceOf = map[string]string{
	"console.log":   matrix.Console,
	"lab_fault.txt": matrix.Faults,
	"guest.log":     matrix.GuestLog,
	"stacks.txt":    matrix.Stacks,
	CoreFile:        matrix.Core,
}

// collected is what the matrix wants kept of a trial's evidence.
func (r *run) collected(t journal.Trial, all journal.Evidence) journal.Evidence {
	if t.Unkept || t.Outcome == crash.Pass && !t.Sample {
		return nil
	}
	kept := journal.Evidence{}
	for file, content := range all {
		if name, is := evidenceOf[file]; !is || r.Matrix.Collect.Keeps(name) {
			kept[file] = content
		}
	}
	return kept
}

// collectGuest removes the log of a guest where the matrix wants no guest logs.
func (t *turn) collectGuest() {
	if !t.run.Matrix.Collect.Keeps(matrix.GuestLog) {
		os.Remove(filepath.Join(t.dir, vm.LogName))
	}
}
