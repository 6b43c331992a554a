package journal

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

func TestRecordHasItsWholeLog(t *testing.T) {
	run := t.TempDir()
	log := filepath.Join(t.TempDir(), "log")
	write := func(path, text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	var none *NoRecordError
	if _, err := ReadRecord(run, 3); !errors.As(err, &none) || none.Why != "" {
		t.Errorf("without a record: %v", err)
	}
	for _, text := range []string{"a log", "another, longer log"} { // the second replaces the first
		write(log, text)
		kept, err := KeepRecord(run, 3, Record{QEMU: "7.2", Digest: "d", Start: 1, End: 2}, log)
		if err != nil {
			t.Fatal(err)
		}
		got, err := ReadRecord(run, 3)
		if err != nil || *got != kept || got.Size != int64(len(text)) || got.QEMU != "7.2" {
			t.Errorf("kept %+v, got %+v (%v)", kept, got, err)
		}
	}
	for name, damage := range map[string]func(){
		"cut":     func() { write(RecordLog(run, 3), "another") },
		"missing": func() { os.Remove(RecordLog(run, 3)) },
		"text":    func() { write(filepath.Join(filepath.Dir(RecordLog(run, 3)), recordFile), "{") },
	} {
		if _, err := KeepRecord(run, 3, Record{}, log); err != nil {
			t.Fatal(err)
		}
		damage()
		if _, err := ReadRecord(run, 3); !errors.As(err, &none) || none.Why == "" {
			t.Errorf("%s: got %v", name, err)
		}
	}
}
