// Package initramfs makes the guest's root file system: a cpio archive that
// repeats to the byte, and the init program in it. What runs in the guest is in
// guest, what both sides say to each other in wire.
package initramfs

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"sort"

	"github.com/cavaliergopher/cpio"
)

// File is an entry of the archive.
type File struct {
	// Name is the absolute path in the guest.
	Name string
	// Perm are its permissions. Zero means 0755: most files here are programs.
	Perm fs.FileMode
	// Path is the host's file with the content.
	Path string
	// Link is what a symbolic link says, in the place of Path.
	Link string
}

// Write writes an archive of files and the folders they are in. The bytes depend
// on names, permissions and contents only: entries are sorted, owned by root,
// dated 1970, and have no inode numbers. Devices are left to devtmpfs.
func Write(w io.Writer, files []File) error {
	entries := map[string]*File{}
	for i, f := range files {
		name := path.Clean("/" + f.Name)
		if entries[name] != nil {
			return fmt.Errorf("initramfs: two entries for %s", name)
		}
		entries[name] = &files[i]
		for dir := path.Dir(name); dir != "/"; dir = path.Dir(dir) {
			if _, ok := entries[dir]; !ok {
				entries[dir] = nil // a folder
			}
		}
	}
	names := make([]string, 0, len(entries))
	for name := range entries {
		names = append(names, name)
	}
	sort.Strings(names) // a folder comes before what is in it

	out := cpio.NewWriter(w)
	for _, name := range names {
		if err := add(out, name[1:], entries[name]); err != nil {
			return fmt.Errorf("initramfs: add %s: %w", name, err)
		}
	}
	return out.Close()
}

func add(out *cpio.Writer, name string, f *File) error {
	if f == nil {
		return out.WriteHeader(&cpio.Header{Name: name, Mode: cpio.TypeDir | 0o755, Links: 2})
	}
	if f.Link != "" {
		if err := out.WriteHeader(&cpio.Header{Name: name, Mode: cpio.TypeSymlink | 0o777, Size: int64(len(f.Link)), Links: 1}); err != nil {
			return err
		}
		_, err := io.WriteString(out, f.Link)
		return err
	}
	in, err := os.Open(f.Path)
	if err != nil {
		return err
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		return err
	}
	perm := f.Perm
	if perm == 0 {
		perm = 0o755
	}
	if err := out.WriteHeader(&cpio.Header{Name: name, Mode: cpio.TypeReg | cpio.FileMode(perm), Size: info.Size(), Links: 1}); err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return err
}
