package journal

import "path/filepath"

// ExplanationFile is what `lab explain` keeps in a trial's folder.
const ExplanationFile = "explain.json"

// KeepExplanation keeps the explanation of a trial, in JSON, in the run's
// folder.
func KeepExplanation(run string, n int, text []byte) error {
	return within(run, func(r root) error {
		return r.write(filepath.Join(TrialDir("", n), ExplanationFile), append(text, '\n'))
	})
}
