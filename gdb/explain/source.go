package explain

import (
	"bufio"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/mod/module"
)

// Sources says where the files are that a program was compiled from. Its zero
// value finds none.
type Sources struct {
	// Module is the path of the program's module, ModuleDir its folder.
	Module, ModuleDir string
	// GOROOT is the toolchain's folder, ModCache the go command's module cache.
	GOROOT, ModCache string
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
	if info, err := f.Stat(); err != nil || !s.Compiled.IsZero() && info.ModTime().After(s.Compiled) {
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

// path is the file's on this host. With -trimpath, which is how the lab
// compiles, a program knows its files by import path.
func (s Sources) path(file string) string {
	if rest, ok := strings.CutPrefix(file, s.Module+"/"); ok && s.Module != "" {
		return filepath.Join(s.ModuleDir, filepath.FromSlash(rest))
	}
	if mod, rest, ok := strings.Cut(file, "@"); ok && s.ModCache != "" {
		if escaped, err := module.EscapePath(mod); err == nil {
			return filepath.Join(s.ModCache, filepath.FromSlash(escaped+"@"+rest))
		}
	}
	if filepath.IsAbs(file) || s.GOROOT == "" {
		return file
	}
	return filepath.Join(s.GOROOT, "src", filepath.FromSlash(file))
}

// standard says whether a file is one of Go's own library: its import path has
// no dot in its first element, and is not the program's.
func (s Sources) standard(file string) bool {
	if s.Module != "" && strings.HasPrefix(file, s.Module+"/") || filepath.IsAbs(file) {
		return false
	}
	first, _, _ := strings.Cut(file, "/")
	return !strings.Contains(first, ".")
}
