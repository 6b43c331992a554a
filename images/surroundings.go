package images

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"ghostlab/initramfs"
	"ghostlab/lab/store"
	"ghostlab/lab/toolchain"
	"ghostlab/scenarios"
)

// most is how many bytes may be in a package's folder: no guest has the memory
// for more.
const most = 1 << 30

// surroundings are the files that a program finds where it runs: those in its
// package's folder and below, go.mod, and the testdata of the folders between
// the two, to which tests of neighbouring packages like to reach.
func surroundings(ctx context.Context, p scenarios.Program, goVersion string) ([]initramfs.File, error) {
	if !p.InPlace() {
		return nil, nil
	}
	pkg, err := toolchain.Find(ctx, Build(p, goVersion))
	if err != nil {
		return nil, err
	}
	up, err := filepath.Rel(pkg.Dir, pkg.Root())
	if err != nil {
		return nil, err
	}
	c := collection{root: pkg.Root(), guest: path.Join(p.WorkDir(), filepath.ToSlash(up))}
	if err := c.add(pkg.Dir); err != nil {
		return nil, err
	}
	for dir := pkg.Dir; dir != c.root; {
		dir = filepath.Dir(dir)
		if err := c.add(filepath.Join(dir, "testdata")); err != nil {
			return nil, err
		}
	}
	if err := c.add(filepath.Join(c.root, "go.mod")); err != nil {
		return nil, err
	}
	slices.SortFunc(c.files, func(a, b initramfs.File) int { return strings.Compare(a.Name, b.Name) })
	return slices.CompactFunc(c.files, func(a, b initramfs.File) bool { return a.Name == b.Name }), nil
}

// timeZones is the zone database that comes with a toolchain. Some
// distributions' Go has none.
func timeZones(ctx context.Context, goVersion string) ([]initramfs.File, error) {
	root, err := toolchain.GOROOT(ctx, goVersion)
	if err != nil {
		return nil, err
	}
	zones := filepath.Join(root, "lib", "time", "zoneinfo.zip")
	if _, err := os.Stat(zones); err != nil {
		return nil, nil
	}
	return []initramfs.File{{Name: ZonesPath, Path: zones, Perm: 0o644}}, nil
}

// collection is files of a module, each with its name in the guest.
type collection struct {
	root, guest string
	files       []initramfs.File
	size        int64
}

// add adds a file, or all that is in a folder. One that is not there adds nothing.
func (c *collection) add(from string) error {
	return filepath.WalkDir(from, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			if name == from && os.IsNotExist(err) {
				return nil
			}
			return err
		}
		rel, err := filepath.Rel(c.root, name)
		if err != nil {
			return err
		}
		if d.IsDir() {
			if name != from && c.foreign(name, d.Name()) {
				return fs.SkipDir
			}
			return nil
		}
		f := initramfs.File{Name: path.Join(c.guest, filepath.ToSlash(rel)), Path: name, Perm: 0o644}
		switch {
		case d.Type()&fs.ModeSymlink != 0:
			if f.Link, err = os.Readlink(name); err != nil {
				return err
			}
			if filepath.IsAbs(f.Link) {
				return nil // it leads to a place of the host's
			}
		case d.Type().IsRegular():
			info, err := d.Info()
			if err != nil {
				return err
			}
			if info.Mode()&0o111 != 0 {
				f.Perm = 0o755
			}
			c.size += info.Size()
		default:
			return nil // sockets and pipes
		}
		if c.size > most {
			return &SizeError{Dir: from}
		}
		c.files = append(c.files, f)
		return nil
	})
}

// foreign says whether a folder within a package's is none of its business:
// another module, what it requires, its history, and runs of the lab, which are
// kept where it was called: with them the guest of a run that goes on would be
// another than the one that began it.
func (c *collection) foreign(dir, name string) bool {
	switch name {
	case ".git", ".hg", ".svn", ".jj", "node_modules":
		return true
	case "vendor":
		return filepath.Dir(dir) == c.root
	}
	if strings.Contains(filepath.ToSlash(dir), "/testdata") {
		return false
	}
	has := func(name string) bool {
		_, err := os.Stat(filepath.Join(dir, name))
		return err == nil
	}
	return has("go.mod") || has("run.json") && has("trials.jsonl")
}

func addTo(h *store.Hasher, f initramfs.File) error {
	h.Add("name", f.Name)
	h.Add("perm", f.Perm.String())
	if f.Link != "" {
		h.Add("link", f.Link)
		return nil
	}
	return h.AddFile("content", f.Path)
}

// SizeError says that a package's folder is too large for a guest.
type SizeError struct{ Dir string }

func (e *SizeError) Error() string {
	return fmt.Sprintf("%s holds more than %d MiB, and all of it would be in the guest's memory", e.Dir, most>>20)
}

// BadInput marks what the user can mend, see usage.IsBadInput.
func (*SizeError) BadInput() {}

// Hint says what to do about it.
func (e *SizeError) Hint() string {
	return "move the package to a folder with only what its program or its tests read"
}
