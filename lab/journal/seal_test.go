package journal

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"ghostlab/lab/matrix"
)

// home gives the test a configuration folder of its own.
func home(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	t.Setenv("HOME", dir)
	t.Setenv("XDG_CONFIG_HOME", filepath.Join(dir, "config"))
	return dir
}

func isAuthentic(t *testing.T, dir string) bool {
	t.Helper()
	run, err := ReadRun(dir)
	if err != nil {
		t.Fatal(err)
	}
	return run.Authentic()
}

// A run is its user's own, until a byte of run.json is another's.
func TestRunsAreRecognised(t *testing.T) {
	home(t)
	f := write(t, t.TempDir(), "r", time.Now(), 3)
	if !isAuthentic(t, f.Dir()) {
		t.Fatal("the user's own run is not recognised")
	}
	path := filepath.Join(f.Dir(), runFile)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !json.Valid(text) {
		t.Fatalf("run.json is no JSON: %s", text)
	}
	for what, changed := range map[string][]byte{
		"a value":        bytes.Replace(text, []byte(`"trials": 3`), []byte(`"trials": 4`), 1),
		"a space":        append(bytes.Clone(text), ' '),
		"a second value": bytes.Replace(text, []byte("{\n"), []byte("{\n  \"matrix\": \"/dev/zero\",\n"), 1),
		"no MAC":         append([]byte("{"), text[bytes.IndexByte(text, ',')+1:]...),
		"another MAC":    bytes.Replace(text, text[12:14], []byte("zz"), 1),
	} {
		if bytes.Equal(changed, text) {
			t.Fatalf("%s: nothing has changed", what)
		}
		if err := os.WriteFile(path, changed, 0o644); err != nil {
			t.Fatal(err)
		}
		if isAuthentic(t, f.Dir()) {
			t.Errorf("with %s changed it is still recognised", what)
		}
	}
	if err := os.WriteFile(path, text, 0o644); err != nil {
		t.Fatal(err)
	}
	home(t) // somebody else's
	if isAuthentic(t, f.Dir()) {
		t.Error("another user recognises it")
	}
}

// Labs that begin at the same time agree on one key, which nobody else can read.
func TestKeyIsMadeOnce(t *testing.T) {
	home(t)
	var made sync.Map
	var labs sync.WaitGroup
	for range 16 {
		labs.Go(func() {
			key, err := ensureKey()
			if err != nil {
				t.Error(err)
			}
			made.Store(string(key), true)
		})
	}
	labs.Wait()
	n := 0
	made.Range(func(any, any) bool { n++; return true })
	if n != 1 {
		t.Errorf("%d keys", n)
	}
	path, err := KeyFile()
	if err != nil {
		t.Fatal(err)
	}
	if entries, err := os.ReadDir(filepath.Dir(path)); err != nil || len(entries) != 1 {
		t.Errorf("beside the key: %v, %v", entries, err)
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	if key, err := ensureKey(); err == nil || !strings.Contains(err.Error(), path+": want a file that only you can read") {
		t.Errorf("a key that others can read: %x, %v", key, err)
	}
	if CheckKey() == nil {
		t.Error("nobody is told")
	}
	// The run is made all the same.
	if isAuthentic(t, write(t, t.TempDir(), "r", time.Now(), 1).Dir()) {
		t.Error("a run without a key is recognised")
	}
}

// What is merged of somebody else's parts is not the user's own.
func TestMergeKeepsWhoseRunsAre(t *testing.T) {
	home(t)
	runs := t.TempDir()
	parts := []string{shard(t, runs, matrix.Shard{Index: 1, Of: 2}, nil, 0), shard(t, runs, matrix.Shard{Index: 2, Of: 2}, nil, 0)}
	merged := func(trust bool) bool {
		t.Helper()
		dir, err := Merge(context.Background(), runs, parts, trust)
		if err != nil {
			t.Fatal(err)
		}
		return isAuthentic(t, dir)
	}
	if !merged(false) {
		t.Error("the user's own parts make a run of another's")
	}
	run, err := ReadRun(parts[1])
	if err != nil {
		t.Fatal(err)
	}
	if err := within(parts[1], func(r root) error { return r.writeRun(run, false) }); err != nil {
		t.Fatal(err)
	}
	if merged(false) {
		t.Error("a part from elsewhere became the user's own")
	}
	if !merged(true) {
		t.Error("the user's word does not count")
	}
}

// A record that somebody else has made is none.
func TestRecordsAreRecognised(t *testing.T) {
	home(t)
	dir := write(t, t.TempDir(), "r", time.Now(), 1).Dir()
	log := filepath.Join(t.TempDir(), "log")
	if err := os.WriteFile(log, []byte("log"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := KeepRecord(dir, 1, Record{QEMU: "7.2"}, log); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadRecord(dir, 1); err != nil {
		t.Fatal(err)
	}
	home(t)
	var none *NoRecordError
	if _, err := ReadRecord(dir, 1); !errors.As(err, &none) || !strings.Contains(err.Error(), "not made by a lab of yours") {
		t.Errorf("got %v", err)
	}
}
