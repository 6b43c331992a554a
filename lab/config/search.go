package config

import (
	"os"
	"path/filepath"
)

// runFile is what a run's folder is known by, see journal.Run.
const runFile = "run.json"

// search finds lab.yaml here or in a folder above. One in a run's folder, or below it,
// is not the user's: such a folder can come from anywhere, and settings name programs
// that lab executes.
func search() string {
	found := ""
	dir, err := os.Getwd()
	for err == nil {
		if path := filepath.Join(dir, File); found == "" && exists(path) {
			found = path
		}
		if exists(filepath.Join(dir, runFile)) {
			found = ""
		}
		up := filepath.Dir(dir)
		if up == dir {
			break
		}
		dir = up
	}
	return found
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
