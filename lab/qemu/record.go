package qemu

// Record makes a deterministic machine of one vCPU write all that it is a
// function of to a log, or follow such a log (QEMU, docs/system/replay.rst).
// QEMU puts the header on a log when it ends by itself: one that was killed
// leaves a log that cannot be followed.
type Record struct {
	noKernelArgs
	Log string
	// Replay follows the log.
	Replay bool
}

// Args adds to the options of Deterministic: QEMU merges several -icount.
func (r Record) Args() []string {
	mode := "record"
	if r.Replay {
		mode = "replay"
	}
	return []string{"-icount", "rr=" + mode + ",rrfile=" + escape(r.Log)}
}

func (Record) plumbing() {}

// Snapshots is a qcow2 file for the states from which a replaying machine runs
// towards an earlier instruction. No guest sees it.
type Snapshots struct {
	noKernelArgs
	File string
}

func (s Snapshots) Args() []string {
	return []string{"-drive", "file=" + escape(s.File) + ",if=none,id=snapshots,format=qcow2"}
}

func (Snapshots) plumbing() {}

// Stay keeps a machine that its guest has switched off, stopped: a debugger may
// want to go back from there.
type Stay struct{ noKernelArgs }

func (Stay) Args() []string { return []string{"-no-shutdown"} }

func (Stay) plumbing() {}
