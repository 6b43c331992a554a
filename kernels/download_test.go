package kernels

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// content is an archive large enough to be cut in the middle.
var content = bytes.Repeat([]byte("linux "), 1<<18)

func sum(b []byte) string {
	s := sha256.Sum256(b)
	return hex.EncodeToString(s[:])
}

func TestDownload(t *testing.T) {
	good := func(w http.ResponseWriter, r *http.Request) {
		http.ServeContent(w, r, "linux.tar.xz", time.Time{}, bytes.NewReader(content))
	}
	var cut int
	for _, c := range []struct {
		name    string
		serve   http.HandlerFunc
		partial []byte // what an earlier try has left
		want    string // part of the error
	}{
		{name: "good", serve: good},
		{name: "resumed", serve: good, partial: content[:1000]},
		{name: "complete already", serve: good, partial: content},
		{name: "no ranges", partial: content[:1000], serve: func(w http.ResponseWriter, _ *http.Request) { w.Write(content) }},
		{name: "cut off three times", serve: func(w http.ResponseWriter, r *http.Request) {
			cut++
			if cut > 3 {
				good(w, r)
				return
			}
			var from int
			fmt.Sscanf(r.Header.Get("Range"), "bytes=%d-", &from)
			w.Header().Set("Content-Length", fmt.Sprint(len(content)-from))
			if from > 0 {
				w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, len(content)-1, len(content)))
				w.WriteHeader(http.StatusPartialContent)
			}
			w.Write(content[from : from+300_000])
		}},
		{name: "tampered", serve: func(w http.ResponseWriter, _ *http.Request) { w.Write(content[1:]) }, want: "sha256 is"},
		{name: "truncated for good", serve: func(w http.ResponseWriter, _ *http.Request) { w.Write(content[:5000]) }, want: "sha256 is"},
		{name: "not there", serve: http.NotFound, want: "404"},
		{name: "server error", serve: func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) }, want: "503"},
	} {
		t.Run(c.name, func(t *testing.T) {
			server := httptest.NewServer(c.serve)
			defer server.Close()
			path := filepath.Join(t.TempDir(), "linux.tar.xz")
			if c.partial != nil {
				if err := os.WriteFile(path+".partial", c.partial, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			err := download(t.Context(), server.Client(), server.URL+"/linux.tar.xz", sum(content), path, nil)
			got, readErr := os.ReadFile(path)
			if c.want == "" {
				if err != nil || !bytes.Equal(got, content) {
					t.Errorf("%d bytes of %d, %v", len(got), len(content), err)
				}
				return
			}
			if err == nil || !bytes.Contains([]byte(err.Error()), []byte(c.want)) {
				t.Errorf("got %v, want an error with %q", err, c.want)
			}
			if readErr == nil {
				t.Error("a file is there all the same")
			}
			var bad *ChecksumError
			if _, err := os.Stat(path + ".partial"); errors.As(err, &bad) && !os.IsNotExist(err) {
				t.Error("the refused bytes are still there")
			}
		})
	}
}

func TestRefusedArchiveIsGone(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("evil")) }))
	defer server.Close()
	dir := t.TempDir()
	err := download(t.Context(), server.Client(), server.URL, sum(content), filepath.Join(dir, "a"), nil)
	var bad *ChecksumError
	if !errors.As(err, &bad) || bad.Got != sum([]byte("evil")) {
		t.Errorf("got %v", err)
	}
	if left, _ := os.ReadDir(dir); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
}

func TestOfflineHostHearsSoAtOnce(t *testing.T) {
	server := httptest.NewServer(nil)
	server.Close()
	start := time.Now()
	err := download(t.Context(), webClient(), server.URL, sum(content), filepath.Join(t.TempDir(), "a"), nil)
	if err == nil || time.Since(start) > connectTimeout {
		t.Errorf("got %v after %v", err, time.Since(start))
	}
}

// A server that stops sending is not somebody who presses Ctrl-C.
func TestStalledDownload(t *testing.T) {
	defer func(was time.Duration) { stallTimeout = was }(stallTimeout)
	stallTimeout = 20 * time.Millisecond
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Write(content[:1000])
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	}))
	defer server.Close()
	err := download(t.Context(), server.Client(), server.URL, sum(content), filepath.Join(t.TempDir(), "a"), nil)
	var stalled *stalledError
	if !errors.As(err, &stalled) || errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
