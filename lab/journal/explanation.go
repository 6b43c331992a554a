package journal

import (
	"os"
	"path/filepath"

	"github.com/google/renameio/v2"
)

// ExplanationFile is what `lab explain` keeps in a trial's folder.
const ExplanationFile = "explain.json"

// KeepExplanation keeps the explanation of a trial, in JSON, in the run's
// folder.
func KeepExplanation(run string, n int, text []byte) error {
	dir := TrialDir(run, n)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	return renameio.WriteFile(filepath.Join(dir, ExplanationFile), append(text, '\n'), 0o644)
}
