package gdb

import (
	"cmp"
	"path"
	"slices"
	"strings"
)

// Folder is where source files are on this host, and the Name that the program's debug
// information has for it.
type Folder struct{ Name, Dir string }

// Outermost are the folders of a program's packages, but for Go's own and for those that
// follow from the one they are in. A folder comes before the one it is in: debuggers
// take the first that fits.
func Outermost(folders map[string]string, standard map[string]bool) (all []Folder) {
	for name, dir := range folders {
		if !standard[name] && !follows(name, dir, folders) {
			all = append(all, Folder{name, dir})
		}
	}
	slices.SortFunc(all, func(a, b Folder) int {
		return cmp.Or(len(b.Name)-len(a.Name), strings.Compare(a.Name, b.Name))
	})
	return all
}

// follows says whether the nearest folder that a package is in says where it is.
func follows(name, dir string, folders map[string]string) bool {
	for p := path.Dir(name); p != "." && p != "/"; p = path.Dir(p) {
		if outer, ok := folders[p]; ok {
			return outer+name[len(p):] == dir
		}
	}
	return false
}
