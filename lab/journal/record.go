package journal

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/google/renameio/v2"
)

// Record is record.json: what it takes to replay the log beside it, other than
// what the trial and its run say.
type Record struct {
	// QEMU is the version that wrote the log; no other can follow it.
	QEMU string `json:"qemu"`
	// Template is the digest of the snapshot from which the replay begins.
	// Empty means power-on.
	Template string `json:"template,omitempty"`
	// Digest is the trial's: the recording was identical.
	Digest string `json:"digest"`
	// Start and End are the instructions between which a replay runs.
	Start int64 `json:"start"`
	End   int64 `json:"end"`
	// Size and Sum are the log's, in bytes and as SHA-256.
	Size int64  `json:"log_bytes"`
	Sum  string `json:"log_sha256"`
}

const (
	recordDir   = "record"
	recordFile  = "record.json"
	recordedLog = "log"
)

// RecordLog is the log of a trial's recording in a run's folder.
func RecordLog(run string, n int) string {
	return filepath.Join(TrialDir(run, n), recordDir, recordedLog)
}

// KeepRecord copies the log of a trial's recording into the run's folder and
// returns the record with its Size and Sum. A record that is there has its
// whole log, whenever lab is killed.
func KeepRecord(run string, n int, r Record, log string) (Record, error) {
	to := RecordLog(run, n)
	about := filepath.Join(filepath.Dir(to), recordFile)
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return r, err
	}
	if err := os.Remove(about); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return r, err
	}
	in, err := os.Open(log)
	if err != nil {
		return r, err
	}
	defer in.Close()
	out, err := renameio.NewPendingFile(to, renameio.WithPermissions(0o644))
	if err != nil {
		return r, err
	}
	defer out.Cleanup()
	sum := sha256.New()
	if r.Size, err = io.Copy(io.MultiWriter(out, sum), in); err != nil {
		return r, err
	}
	r.Sum = hex.EncodeToString(sum.Sum(nil))
	if err := out.CloseAtomicallyReplace(); err != nil {
		return r, err
	}
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return r, err
	}
	return r, renameio.WriteFile(about, append(text, '\n'), 0o644)
}

// ReadRecord returns a trial's record, whose log it has checked, or a
// *NoRecordError.
func ReadRecord(run string, n int) (*Record, error) {
	log := RecordLog(run, n)
	text, err := os.ReadFile(filepath.Join(filepath.Dir(log), recordFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &NoRecordError{Trial: n}
	}
	if err != nil {
		return nil, err
	}
	r := &Record{}
	if err := json.Unmarshal(text, r); err != nil {
		return nil, &NoRecordError{n, fmt.Sprintf("%s: %v", recordFile, err)}
	}
	in, err := os.Open(log)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &NoRecordError{n, "the log is missing"}
	}
	if err != nil {
		return nil, err
	}
	defer in.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, in); err != nil {
		return nil, fmt.Errorf("read %s: %w", log, err)
	}
	if hex.EncodeToString(sum.Sum(nil)) != r.Sum {
		return nil, &NoRecordError{n, "the log is not the one that was recorded"}
	}
	return r, nil
}

// NoRecordError says that a trial has no record, or none that can be used.
type NoRecordError struct {
	Trial int
	Why   string // empty where there is none
}

func (e *NoRecordError) Error() string {
	if e.Why == "" {
		return fmt.Sprintf("trial %d has not been recorded", e.Trial)
	}
	return fmt.Sprintf("the record of trial %d cannot be used: %s", e.Trial, e.Why)
}

// Hint says what to do about it.
func (e *NoRecordError) Hint() string {
	return fmt.Sprintf("`lab replay --record RUN/%d` makes one", e.Trial)
}
