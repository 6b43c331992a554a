package explain

import (
	"bufio"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"ghostlab/gdb/travel"
)

// Sources says where the files are that a program was compiled from. Its zero
// value finds those with absolute names only.
type Sources struct {
	// Folders are the folders on this host, by the name that the compiler gave
	// each in the place of its path: see toolchain.Folders.
	Folders map[string]string
	// Standard are the names of the folders of Go's own library.
	Standard map[string]bool
	// Compiled is when the program was known to be what its sources said. A
	// file that has changed since is not shown. Zero shows all.
	Compiled time.Time
}

// Line is a line of a source file.
type Line struct {
	N    int    `json:"n"`
	Text string `json:"text"`
}

// around is the number of lines that are shown before a line and after it.
const around = 2

// Excerpt returns the lines around a frame's, nil where the file is not to be
// had.
func (s Sources) Excerpt(file string, line int) []Line {
	path := s.path(file)
	if path == "" || line < 1 {
		return nil
	}
	f, err := os.Open(path)
	if err != nil {
		return nil
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() || !s.Compiled.IsZero() && info.ModTime().After(s.Compiled) {
		return nil
	}
	var lines []Line
	in := bufio.NewScanner(f)
	for n := 1; in.Scan() && n <= line+around; n++ {
		if n >= line-around {
			lines = append(lines, Line{n, strings.TrimRight(in.Text(), " \t\r")})
		}
	}
	if len(lines) == 0 || lines[len(lines)-1].N < line {
		return nil
	}
	return lines
}

// cgo is what -trimpath has C compilers put before the names of packages.
const cgo = "/_/"

// path is the file's on this host, empty where that is not known.
func (s Sources) path(file string) string {
	file = strings.TrimPrefix(file, cgo)
	if filepath.IsAbs(file) {
		return file // of a C compiler's, or of a //line comment
	}
	if dir, rest, ok := s.folder(file); ok {
		return filepath.Join(s.Folders[dir], filepath.FromSlash(rest))
	}
	return s.named(file)
}

// named is the file that a //line comment names from its package's folder. Which
// package that is the name does not say: it is empty where several have one.
func (s Sources) named(file string) (found string) {
	for dir, path := range s.Folders {
		path = filepath.Join(path, filepath.FromSlash(file))
		if _, err := os.Stat(path); err != nil || s.Standard[dir] || path == found {
			continue
		}
		if found != "" {
			return ""
		}
		found = path
	}
	return found
}

// folder returns the name of the folder that a file is in, or below: a //line
// comment may name one there.
func (s Sources) folder(file string) (dir, rest string, ok bool) {
	for dir = path.Dir(file); dir != "." && dir != "/"; dir = path.Dir(dir) {
		if _, ok := s.Folders[dir]; ok {
			return dir, file[len(dir)+1:], true
		}
	}
	return "", "", false
}

// Place is the index of the call that the researcher wants to see: the innermost
// outside Go's own library, -1 where there is none.
func (s Sources) Place(stack []travel.Frame) int {
	for i, f := range stack {
		if f.Line > 0 && !s.standard(f.File) {
			return i
		}
	}
	return -1
}

// standard says whether a file is one of Go's own library. Where its folder is not
// known, that is what has no dot in the first element of its import path.
func (s Sources) standard(file string) bool {
	file = strings.TrimPrefix(file, cgo)
	if filepath.IsAbs(file) {
		return false
	}
	if dir, _, ok := s.folder(file); ok {
		return s.Standard[dir]
	}
	first, _, _ := strings.Cut(file, "/")
	return !strings.Contains(first, ".")
}
