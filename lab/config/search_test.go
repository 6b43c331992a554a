package config

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// The settings are those of the folder in which lab works, not those that a run's
// folder brings along.
func TestSettingsOfARunsFolderDoNotHold(t *testing.T) {
	project, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	evidence := filepath.Join(project, "runs", "r", "trials", "1")
	if err := os.MkdirAll(evidence, 0o755); err != nil {
		t.Fatal(err)
	}
	own := filepath.Join(project, File)
	for _, path := range []string{own, filepath.Join(project, "runs", "r", runFile), filepath.Join(project, "runs", "r", File), filepath.Join(evidence, File)} {
		if err := os.WriteFile(path, nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, dir := range []string{project, filepath.Join(project, "runs"), filepath.Join(project, "runs", "r"), evidence} {
		t.Chdir(dir)
		if got := search(); got != own {
			t.Errorf("in %s: %s, want %s", dir, got, own)
		}
	}
	if err := errors.Join(os.Remove(own), os.Chdir(evidence)); err != nil {
		t.Fatal(err)
	}
	if got := search(); got != "" {
		t.Errorf("with none of its own: %s", got)
	}
}
