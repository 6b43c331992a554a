package kernels

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"

	"ghostlab/lab/store"
)

// version reads the kernel's version from its top Makefile, as "5.15.135".
func version(makefile []byte) (string, error) {
	v := map[string]string{}
	sc := bufio.NewScanner(bytes.NewReader(makefile))
	for sc.Scan() {
		name, value, ok := strings.Cut(sc.Text(), "=")
		if ok {
			v[strings.TrimSpace(name)] = strings.TrimSpace(value)
		}
		if strings.HasPrefix(name, "NAME") {
			break
		}
	}
	if v["VERSION"] == "" || v["PATCHLEVEL"] == "" {
		return "", errors.New("no VERSION and PATCHLEVEL in its Makefile: not a Linux source tree")
	}
	s := v["VERSION"] + "." + v["PATCHLEVEL"]
	if sub := v["SUBLEVEL"]; sub != "" {
		s += "." + sub
	}
	return s + v["EXTRAVERSION"], nil
}

// seriesOf cuts "5.15.135-rc1" to "5.15".
func seriesOf(version string) string {
	parts := strings.SplitN(version, ".", 3)
	if len(parts) < 2 {
		return version
	}
	minor, _, _ := strings.Cut(parts[1], "-")
	return parts[0] + "." + minor
}

// SeriesOf returns the series of a kernel tree or tarball, such as "5.15".
func SeriesOf(ctx context.Context, st *store.Store, path string) (string, error) {
	v, err := versionOf(ctx, st, path)
	return seriesOf(v), err
}

// versionAt reads the version of a tree or of a tarball with one in it.
func versionAt(ctx context.Context, path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", &SourceError{Path: path, Err: errors.Unwrap(err)}
	}
	var makefile []byte
	if info.IsDir() {
		makefile, err = os.ReadFile(filepath.Join(path, "Makefile"))
		if errors.Is(err, fs.ErrNotExist) {
			err = errors.New("no Makefile: not a Linux source tree")
		}
	} else {
		// The first match is the top one: GNU tar keeps the archive's order,
		// and --occurrence stops there instead of reading to the end.
		cmd := exec.CommandContext(ctx, "tar", "-xOf", path, "--wildcards", "--no-wildcards-match-slash", "--occurrence=1", "*/Makefile")
		makefile, err = cmd.Output()
		if err != nil {
			err = errors.New("not a tarball with a Linux source tree in it")
		}
	}
	if err == nil {
		var v string
		if v, err = version(makefile); err == nil {
			return v, nil
		}
	}
	return "", &SourceError{Path: path, Err: err}
}

// versionOf is versionAt. A tarball is unpacked for it once: that takes half a
// second with the 138 MB of 6.1.
func versionOf(ctx context.Context, st *store.Store, path string) (string, error) {
	ask := func() (string, error) { return versionAt(ctx, path) }
	if info, err := os.Stat(path); err != nil || info.IsDir() {
		return ask()
	}
	return remember(ctx, st, "source-versions", path, ask)
}

// SourceError says that a path holds no kernel sources.
type SourceError struct {
	Path string
	Err  error
}

func (e *SourceError) Error() string { return fmt.Sprintf("kernel source %s: %v", e.Path, e.Err) }

// BadInput marks what the user can mend, see usage.IsBadInput.
func (*SourceError) BadInput() {}

func (e *SourceError) Unwrap() error { return e.Err }

// Hint says what to do about it.
func (e *SourceError) Hint() string {
	return "name the top folder of a Linux tree, or a tarball of one"
}

// Digest identifies the content of a kernel tree or tarball; see Manifest.Digest.
// The error is a *SourceError where there is none.
func Digest(ctx context.Context, st *store.Store, path string) (string, error) {
	if _, err := os.Stat(path); err != nil {
		return "", &SourceError{Path: path, Err: errors.Unwrap(err)}
	}
	return digest(ctx, st, path)
}

// digest identifies the content of a tree or a tarball.
func digest(ctx context.Context, st *store.Store, path string) (string, error) {
	return remember(ctx, st, "source-digests", path, func() (string, error) {
		info, err := os.Stat(path)
		if err != nil {
			return "", err
		}
		h := sha256.New()
		err = walk(path, info, func(rel string, info fs.FileInfo) error {
			fmt.Fprintf(h, "%s\x00%o\x00%d\x00", rel, info.Mode(), info.Size())
			return errors.Join(ctx.Err(), copyInto(h, filepath.Join(path, rel), info))
		})
		return hex.EncodeToString(h.Sum(nil)), err
	})
}

// remember keeps what ask has found out about a tree or a tarball as long as no
// file there changes its size or time: reading it all takes seconds.
func remember(ctx context.Context, st *store.Store, kind, path string, ask func() (string, error)) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	stamp := store.NewHasher("source stamp 2")
	err = walk(path, info, func(rel string, info fs.FileInfo) error {
		var inode uint64
		if sys, ok := info.Sys().(*syscall.Stat_t); ok {
			inode = sys.Ino
		}
		stamp.Add(rel, fmt.Sprint(info.Size(), info.ModTime().UnixNano(), inode, info.Mode()))
		return ctx.Err()
	})
	if err != nil {
		return "", err
	}
	if st.ReadOnly && !st.Has(kind, stamp.Key()) {
		return ask()
	}
	dir, err := st.Ensure(ctx, kind, stamp.Key(), func(_ context.Context, staging string) error {
		answer, err := ask()
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(staging, "answer"), []byte(answer), 0o644)
	})
	if err != nil {
		return "", err
	}
	b, err := os.ReadFile(filepath.Join(dir, "answer"))
	return string(b), err
}

func copyInto(w io.Writer, path string, info fs.FileInfo) error {
	if info.Mode()&fs.ModeSymlink != 0 {
		target, err := os.Readlink(path)
		io.WriteString(w, target)
		return err
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = io.Copy(w, f)
	return err
}

// walk visits the source files of a tree, or the one file that path is. It
// passes over version control and what a build in the tree has left.
func walk(path string, info fs.FileInfo, visit func(rel string, info fs.FileInfo) error) error {
	if !info.IsDir() {
		return visit("", info)
	}
	return filepath.WalkDir(path, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(path, p)
		if err != nil {
			return err
		}
		if built(rel, d) {
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		if d.IsDir() || d.Type()&^fs.ModeSymlink != 0 {
			return nil
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		return visit(rel, info)
	})
}

// built says whether a path is a product of a build or of git.
func built(rel string, d fs.DirEntry) bool {
	name := d.Name()
	if d.IsDir() {
		return name == ".git" || name == "generated" && strings.Contains(rel, "include") ||
			rel == "include/config" || rel == ".tmp_versions"
	}
	switch filepath.Ext(name) {
	case ".o", ".a", ".ko", ".cmd", ".order", ".mod":
		return true
	}
	switch rel {
	case ".config", ".config.old", "vmlinux", "System.map", ".version", "Module.symvers", "modules.builtin", "modules.builtin.modinfo":
		return true
	}
	return strings.HasPrefix(name, ".tmp_vmlinux")
}

// unpack puts the sources into the empty folder dst: a copy of a tree, or what
// a tarball has under its one top folder.
func unpack(ctx context.Context, path, dst string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		cmd := exec.CommandContext(ctx, "tar", "-xf", path, "-C", dst, "--strip-components=1", "--no-same-owner")
		if msg, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("unpack %s: %w: %s", path, err, lastLine(msg))
		}
		return nil
	}
	return walk(path, info, func(rel string, info fs.FileInfo) error {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		to := filepath.Join(dst, rel)
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return err
		}
		from := filepath.Join(path, rel)
		if info.Mode()&fs.ModeSymlink != 0 {
			target, err := os.Readlink(from)
			if err != nil {
				return err
			}
			return os.Symlink(target, to)
		}
		return copyFile(from, to, info.Mode().Perm())
	})
}

func copyFile(from, to string, perm fs.FileMode) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, perm)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}

func lastLine(b []byte) string {
	lines := strings.Split(strings.TrimSpace(string(b)), "\n")
	return lines[len(lines)-1]
}
