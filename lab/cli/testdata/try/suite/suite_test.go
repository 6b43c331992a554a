package suite_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

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
	if sources, _ := filepath.Glob("*.go"); len(sources) != 3 {
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
