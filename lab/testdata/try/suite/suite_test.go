package suite_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/user"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"example.com/tried/suite"
)

var prepared bool

func TestMain(m *testing.M) {
	prepared = true
	os.Exit(m.Run())
}

func TestMainCameFirst(t *testing.T) {
	if !prepared || suite.Double(2) != 4 {
		t.Error("TestMain did not run")
	}
}

func TestFiles(t *testing.T) {
	for name, want := range map[string]string{
		"testdata/word.txt":   "word\n",
		"testdata/link.txt":   "word\n",
		"../testdata/far.txt": "far\n",
	} {
		if got, err := os.ReadFile(name); err != nil || string(got) != want {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	if sources, _ := filepath.Glob("*.go"); len(sources) != 2 {
		t.Errorf("sources: %v", sources)
	}
	if dir, err := os.Getwd(); err != nil || !strings.HasSuffix(dir, "/example.com/tried/suite") {
		t.Errorf("runs in %s, %v", dir, err)
	}
}

func TestServer(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "hello") }))
	defer s.Close()
	resp, err := http.Get(strings.Replace(s.URL, "127.0.0.1", "localhost", 1))
	if err != nil {
		t.Fatal(err)
	}
	if b, err := io.ReadAll(resp.Body); string(b) != "hello" {
		t.Errorf("%q, %v", b, err)
	}
}

// The guest has what programs take for granted, and nothing of the host's.
func TestGuest(t *testing.T) {
	u, err := user.Current()
	if err != nil || u.Username != "root" {
		t.Errorf("user %v, %v", u, err)
	}
	if name, err := os.Hostname(); err != nil || name != "lab" {
		t.Errorf("host %s, %v", name, err)
	}
	for _, name := range []string{"/dev/null", "/dev/shm", "/dev/fd/0", "/proc/self/maps", "/sys/kernel", "/etc/hosts", os.TempDir(), os.Getenv("HOME")} {
		if _, err := os.Stat(name); err != nil {
			t.Error(err)
		}
	}
	if zone, offset := time.Now().Zone(); zone != "UTC" || offset != 0 {
		t.Errorf("time zone %s", zone)
	}
	if runtime.GOARCH != "arm64" {
		t.Errorf("runs on %s", runtime.GOARCH)
	}
	if want := os.Getenv("WANT_PROCS"); want != "" && want != fmt.Sprint(runtime.GOMAXPROCS(0)) {
		t.Errorf("GOMAXPROCS is %d, want %s", runtime.GOMAXPROCS(0), want)
	}
}
