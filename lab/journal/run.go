package journal

import (
	"time"

	"ghostlab/images"
	"ghostlab/lab/crash"
	"ghostlab/lab/hunt"
	"ghostlab/lab/matrix"
	"ghostlab/scenarios"
)

// IDTime is the form of the time that a run's ID begins with.
const IDTime = "20060102-150405"

// Run is run.json: what was asked and what ran.
type Run struct {
	ID       string    `json:"id"`
	Started  time.Time `json:"started"` // or merged, see Sessions
	Lab      string    `json:"lab"`     // the version of lab
	Scenario string    `json:"scenario"`
	// ScenarioDir is the scenario's folder on this host.
	ScenarioDir string `json:"scenario_dir,omitempty"`
	// Own is the program of a run without a scenario.yaml, else nil.
	Own    *scenarios.Program `json:"own,omitempty"`
	Matrix string             `json:"matrix"` // the file, as it was named
	// Set and Only are the flags that changed what the file says, as they were
	// given. All else here is what follows.
	Set  []matrix.Flag `json:"set,omitempty"`
	Only []matrix.Flag `json:"only,omitempty"`

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
	// Found are the trials that a hunt was for.
	Found []Found       `json:"found,omitempty"`
	Axes  []matrix.Axis `json:"axes"`
	// Expect is what the matrix claims, Stop what ends its cells early, Collect
	// what is kept of trials.
	Expect  []matrix.Expectation `json:"expect,omitempty"`
	Stop    matrix.Stop          `json:"stop,omitzero"`
	Collect matrix.Collect       `json:"collect"`
	Cells   []matrix.Cell        `json:"cells"`
	// Commands are what each cell's trials execute, by the cell's index.
	Commands []Command `json:"commands"`
	// Kernels are those of the cells. Without an axis of that name it is one.
	Kernels []Kernel `json:"kernels"`
	Go      string   `json:"go"` // where no axis says otherwise
	QEMU    string   `json:"qemu"`
	Host    Host     `json:"host"`
	// Guest is the machine: QEMU's CPU model, vCPUs, MiB of memory.
	Guest Guest `json:"guest"`
	// MemoryOrder is that of the parallel engine; nil where vCPUs do not run at the same
	// time by TCG, and in runs from before it was looked at.
	MemoryOrder *MemoryOrder `json:"memory_order,omitempty"`
	// Images are the manifests, by images.Name.
	Images map[string]images.Manifest `json:"images"`
	// Verification says whether deterministic trials repeated. Nil until that
	// was checked.
	Verification *Verification `json:"verification,omitempty"`
	// Shard is the part of the matrix that is run; none is the whole.
	Shard matrix.Shard `json:"shard,omitzero"`
	// Stopped are the cells that Stop has ended, as they ended.
	Stopped []Stopped `json:"stopped,omitempty"`
	// Sessions are the labs that have run trials, in their order.
	Sessions []Session `json:"sessions"`

	authentic bool
	unchecked int
}

// Authentic says whether a lab of this user's wrote run.json, by its MAC: the folders
// and programs of the host that it names are then the user's own choice. Of any other
// run they may be followed or executed only where the user says so.
func (r *Run) Authentic() bool { return r.authentic }

// Unchecked is the number of deterministic trials of sessions that have not come to
// run any of theirs again, as far as trials have been read.
func (r *Run) Unchecked() int { return r.unchecked }

// Verified says whether the session of a guest has run some of its trials again.
func (r *Run) Verified(vm int) bool {
	verified, known := false, false
	for _, s := range r.Sessions {
		known = known || s.Verified
		if s.FirstVM <= vm {
			verified = s.Verified
		}
	}
	// Older labs have recorded that of the run alone.
	return verified || !known && r.Verification != nil
}

// Planned is the number of trials that a cell gets unless it is stopped.
func (r *Run) Planned(cell int) int { return r.Shard.Size(cell, r.Trials) }

// Session is the part of a run's trials that one lab has run.
type Session struct {
	Started time.Time `json:"started"`
	Lab     string    `json:"lab"`
	QEMU    string    `json:"qemu"`
	Host    Host      `json:"host"`
	// FirstVM is the number of its first guest. A trial is that session's which
	// is the last with a FirstVM of at most Trial.VM.
	FirstVM int `json:"first_vm"`
	// Verified says that some of its deterministic trials have been run again: a
	// session that is ended early has not come to that.
	Verified bool `json:"verified,omitempty"`
	// MemoryOrder is as in Run, on this host.
	MemoryOrder *MemoryOrder `json:"memory_order,omitempty"`
}

// Found is a trial that a hunt was for.
type Found struct {
	Trial int    `json:"trial"`
	Title string `json:"title"`
}

// Verification is the result of running some deterministic trials twice.
type Verification struct {
	Checked   int `json:"checked"`
	Identical int `json:"identical"`
	// Unchecked is how many were to be, and their guest could not be run again.
	Unchecked int `json:"unchecked,omitempty"`
	// Diverged are the numbers of those that differed.
	Diverged []int `json:"diverged,omitempty"`
}

// Command is what a trial executes in the guest.
type Command struct {
	Argv []string `json:"argv"`
	Env  []string `json:"env"`
	// Dir is the folder in the guest where it runs; empty means /tmp.
	Dir string `json:"dir,omitempty"`
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
	// Tree is the tree or tarball of --kernel-source, and TreeDigest its SHA-256;
	// empty where the series' own sources were taken.
	Tree       string `json:"tree,omitempty"`
	TreeDigest string `json:"tree_digest,omitempty"`
	// SameAs are the others of the run, as they were asked for, that are this very
	// kernel: cells that differ in no more than that are the same.
	SameAs []string `json:"same_as,omitempty"`
}

// KernelOf is the kernel of a cell.
func (r *Run) KernelOf(c matrix.Cell) Kernel {
	for _, k := range r.Kernels {
		if k.Asked == c.Axes[matrix.AxisKernel] {
			return k
		}
	}
	return r.Kernels[0]
}

// GoOf is the toolchain of a cell's program.
func (r *Run) GoOf(c matrix.Cell) string { return c.Or(matrix.AxisGo, r.Go) }

// ImageOf is the image of a cell.
func (r *Run) ImageOf(c matrix.Cell) images.Manifest {
	return r.Images[images.Name(r.KernelOf(c).Asked, r.GoOf(c))]
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
	// Unkept is set for failing trials whose evidence is not kept, see
	// matrix.Collect.Failures.
	Unkept bool `json:"unkept,omitempty"`
	// Faults is the number of fault records kept, Lost those that were not
	// recorded.
	Faults int   `json:"faults,omitempty"`
	Lost   int64 `json:"faults_lost,omitempty"`
	// Attempts is how often it was tried, when infrastructure failed.
	Attempts int `json:"attempts,omitempty"`
	// Error says what failed, for an infra outcome.
	Error string `json:"error,omitempty"`
}
