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
	in, err := os.Open(log)
	if err != nil {
		return r, err
	}
	defer in.Close()
	err = within(run, func(root root) error {
		to := RecordLog("", n)
		about := filepath.Join(filepath.Dir(to), recordFile)
		if err := root.folder(filepath.Dir(to)); err != nil {
			return err
		}
		if err := root.Remove(about); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		out, err := renameio.NewPendingFile(to, renameio.WithPermissions(0o644), renameio.WithRoot(root.Root))
		if err != nil {
			return err
		}
		defer out.Cleanup()
		sum := sha256.New()
		if r.Size, err = io.Copy(io.MultiWriter(out, sum), in); err != nil {
			return err
		}
		r.Sum = hex.EncodeToString(sum.Sum(nil))
		if err := out.CloseAtomicallyReplace(); err != nil {
			return err
		}
		text, err := encode(r)
		if err != nil {
			return err
		}
		return root.write(about, sealed(recordFile, text))
	})
	return r, err
}

// mostRecord bounds record.json, in bytes.
const mostRecord = 64 << 10

// ReadRecord returns a trial's record, whose log it has checked, or a
// *NoRecordError. A record that somebody else has made is none: QEMU is to read no
// log of unknown origin.
func ReadRecord(run string, n int) (*Record, error) {
	r := &Record{}
	err := within(run, func(root root) error {
		log := RecordLog("", n)
		text, err := root.read(filepath.Join(filepath.Dir(log), recordFile), mostRecord)
		if errors.Is(err, fs.ErrNotExist) {
			return &NoRecordError{Trial: n}
		}
		if err != nil {
			return err
		}
		if !authentic(recordFile, text) {
			return &NoRecordError{n, "it was not made by a lab of yours on this host"}
		}
		if err := json.Unmarshal(text, r); err != nil {
			return &NoRecordError{n, fmt.Sprintf("%s: %v", recordFile, err)}
		}
		in, err := root.open(log, os.O_RDONLY)
		if errors.Is(err, fs.ErrNotExist) {
			return &NoRecordError{n, "the log is missing"}
		}
		if err != nil {
			return err
		}
		defer in.Close()
		sum := sha256.New()
		if _, err := io.Copy(sum, in); err != nil {
			return fmt.Errorf("read %s: %w", root.path(log), err)
		}
		if hex.EncodeToString(sum.Sum(nil)) != r.Sum {
			return &NoRecordError{n, "the log is not the one that was recorded"}
		}
		return nil
	})
	if err != nil {
		return nil, err
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
