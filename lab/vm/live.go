package vm

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"ghostlab/scenarios"
)

// About is what a debugger from outside has to know of a guest beside what it
// boots. The zero value tells nothing.
type About struct {
	// Run is the run's ID, or what session the guest is of. Folder is the run's folder,
	// an absolute path without symbolic links; empty for a session.
	Run    string `json:"run"`
	Folder string `json:"folder,omitempty"`
	// Program is the program under test, with symbols; Go the version that
	// compiled it, and Source what it was compiled from, where that is known.
	Program string             `json:"program"`
	Go      string             `json:"go"`
	Source  *scenarios.Program `json:"source,omitempty"`
}

// Live is a guest that runs now, in this lab or another of the same user.
type Live struct {
	About
	// Name is unique on this host while the guest lives.
	Name    string    `json:"-"`
	PID     int       `json:"pid"` // QEMU's
	Trials  []int     `json:"trials"`
	Engine  string    `json:"engine"`
	VCPUs   int       `json:"vcpus"`
	Kernel  string    `json:"kernel"` // the folder of a kernels.Kernel
	Started time.Time `json:"started"`
	// Held says why the guest is stopped for somebody to look at it.
	Held string `json:"held,omitempty"`
	// CPU is then the one that runs the program, from 1.
	CPU int `json:"cpu,omitempty"`

	dir string
}

// GDB is the socket of the guest's gdb stub. A debugger that connects stops the
// guest; it goes on when the debugger detaches.
func (l Live) GDB() string { return filepath.Join(l.dir, "gdb") }

const liveFile = "guest.json"

// live is the guest as others see it.
func (g *Guest) live() Live {
	l := Live{
		About: g.cfg.About, Name: nameOf(g.dir.path), PID: g.proc.PID(), Engine: "parallel", VCPUs: g.cfg.VCPUs,
		Kernel: filepath.Dir(g.cfg.Kernel), Started: g.born.UTC(), Held: g.held, CPU: g.cpu, dir: g.dir.path,
	}
	if g.cfg.Engine.Deterministic {
		l.Engine = "deterministic"
	}
	for _, t := range g.cfg.Spec.Trials {
		l.Trials = append(l.Trials, t.ID)
	}
	return l
}

func nameOf(dir string) string { return strings.TrimPrefix(filepath.Base(dir), rundirPrefix) }

// register makes the guest one of Guests. Its folder is private to the user, and
// goes with it. Before Run a guest stands still until lab lets it go, and a debugger
// that leaves it would do that too early.
func (g *Guest) register() error {
	text, err := json.Marshal(g.live())
	if err != nil {
		return err
	}
	// A reader must not see half of it.
	if err := os.WriteFile(g.dir.file("new"), text, 0o600); err != nil {
		return err
	}
	return os.Rename(g.dir.file("new"), g.dir.file(liveFile))
}

// Guests returns the guests of this user that run now, the oldest first.
func Guests() []Live {
	CleanStale() // what is left belongs to labs that run
	var all []Live
	for _, base := range bases() {
		for _, dir := range rundirs(base) {
			l := Live{Name: nameOf(dir), dir: dir}
			text, err := os.ReadFile(filepath.Join(dir, liveFile))
			if err != nil || json.Unmarshal(text, &l) != nil {
				continue // it has just ended, or is none of a lab like this one
			}
			all = append(all, l)
		}
	}
	slices.SortFunc(all, func(a, b Live) int { return a.Started.Compare(b.Started) })
	return all
}

// FolderName returns a folder's one name: absolute and without links, by which labs in
// other folders know it too, see About.Folder.
func FolderName(dir string) string {
	if full, err := filepath.Abs(dir); err == nil {
		dir = full
	}
	if real, err := filepath.EvalSymlinks(dir); err == nil {
		dir = real
	}
	return dir
}
