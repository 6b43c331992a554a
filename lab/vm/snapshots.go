package vm

import (
	"fmt"
	"os"
	"strings"

	"ghostlab/lab/host"
	"ghostlab/lab/qemu"
	"ghostlab/lab/store"
)

const (
	// snapshotsRoom is about how much the snapshots of a replay may take, in MiB, beside
	// that of the start: those of a guest of 512 MiB are 8.
	snapshotsRoom = 4096
	// fewestSnapshots are those that a run backwards takes at a time, see gdb/travel.
	fewestSnapshots, mostSnapshots = 2, 8
)

// snapshotsOf is how many snapshots a replay keeps of a guest with that memory, in MiB,
// beside that of the start.
func snapshotsOf(memory int) int {
	return min(max(snapshotsRoom/memory, fewestSnapshots), mostSnapshots)
}

// snapshotsNeed is the most that they take, in bytes: the whole memory each. Pages of one
// value take none, so that it is mostly much less.
func snapshotsNeed(memory int) int64 { return int64(1+snapshotsOf(memory)) * int64(memory) << 20 }

// prepareReplay makes the host's side of what only a replay has.
func (g *Guest) prepareReplay() error {
	if g.cfg.replay == "" {
		return nil
	}
	dir, err := g.snapshotsDir(bases(), host.FreeMemory())
	if err != nil {
		return fmt.Errorf("room for the snapshots of a guest of %d MiB: %w", g.cfg.Memory, err)
	}
	g.snapshots = dir.file("snapshots")
	return qemu.Snapshots{File: g.snapshots}.Create()
}

// snapshotsDir is the first folder with room for the replay's snapshots: the guest's own,
// or one on the disk. free is the host's free memory in MiB, 0 where it does not tell: in
// memory they may take half of that, with the guest. The error is a *store.SpaceError.
func (g *Guest) snapshotsDir(bases []string, free int) (*rundir, error) {
	need := snapshotsNeed(g.cfg.Memory)
	var err error
	for _, base := range bases {
		own := strings.HasPrefix(g.dir.path, base+string(os.PathSeparator))
		if err = store.NeedSpace(base, need); err != nil {
			continue
		}
		if half := int64(free) << 19; base == memoryBase && free > 0 && need+int64(g.cfg.Memory)<<20 > half {
			err = &store.SpaceError{Dir: base, Free: half, Want: need + int64(g.cfg.Memory)<<20}
			continue
		}
		if own {
			return g.dir, nil
		}
		g.spill, err = rundirIn([]string{base})
		return g.spill, err
	}
	return nil, err
}
