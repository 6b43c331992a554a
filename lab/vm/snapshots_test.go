package vm

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"ghostlab/lab/store"
)

func TestSnapshotsAreBounded(t *testing.T) {
	for memory, want := range map[int]int{128: 8, 512: 8, 1024: 4, 2048: 2, 3072: 2} {
		if got := snapshotsOf(memory); got != want {
			t.Errorf("%d snapshots of %d MiB, want %d", got, memory, want)
		}
	}
	if got := snapshotsNeed(2048); got != 6<<30 {
		t.Errorf("a guest of 2 GiB needs %d MiB", got>>20)
	}
}

// Snapshots go to memory while there is enough of it, else to the disk; without room
// on either it is said before the guest starts.
func TestSnapshotsHaveRoom(t *testing.T) {
	disk := t.TempDir()
	if _, err := os.Stat(memoryBase); err != nil {
		t.Skip(err)
	}
	own, err := rundirIn([]string{memoryBase})
	if err != nil {
		t.Fatal(err)
	}
	g := &Guest{cfg: Config{Memory: 16}, dir: own}
	need := int(snapshotsNeed(16)>>20) + 16
	if dir, err := g.snapshotsDir([]string{memoryBase, disk}, 2*need); err != nil || dir != own {
		t.Errorf("with just enough memory: %v, %v", dir, err)
	}
	dir, err := g.snapshotsDir([]string{memoryBase, disk}, 2*need-2)
	if err != nil || filepath.Dir(dir.path) != disk {
		t.Fatalf("with less: %v, %v", dir, err)
	}
	g.Close()
	for _, d := range []string{dir.path, own.path} {
		if _, err := os.Stat(d); !os.IsNotExist(err) {
			t.Errorf("%s is left: %v", d, err)
		}
	}
	g = &Guest{cfg: Config{Memory: 1 << 30}, dir: own}
	var full *store.SpaceError
	if _, err := g.snapshotsDir([]string{memoryBase, disk}, 0); !errors.As(err, &full) || full.Dir != disk {
		t.Errorf("without room: %v", err)
	}
}
