package cli

import (
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	osexec "os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
)

// Neither the folder it is called in nor what is missing makes lab doctor fetch or
// leave anything.
func TestDoctorChangesNothing(t *testing.T) {
	program := binary(t)
	var asked atomic.Int64
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		http.NotFound(w, r)
	}))
	defer proxy.Close()
	dir := t.TempDir()
	for _, name := range []string{"home", "tmp", "module"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	// The go command would fetch this toolchain, where it may.
	if err := os.WriteFile(filepath.Join(dir, "module/go.mod"), []byte("module m\ngo 1.21\ntoolchain go1.999.0\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	before := tree(t, dir)
	cmd := osexec.CommandContext(t.Context(), program, "doctor", "--go", "1.21.6")
	cmd.Dir = filepath.Join(dir, "module")
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + filepath.Join(dir, "home"), "TMPDIR=" + filepath.Join(dir, "tmp"),
		"GOPROXY=" + proxy.URL, "GONOSUMDB=*", "GOTOOLCHAIN=auto",
	}
	if out, err := cmd.CombinedOutput(); !strings.Contains(string(out), "not installed, `lab run` fetches it") {
		t.Errorf("%v\n%s", err, out)
	}
	if n := asked.Load(); n > 0 {
		t.Errorf("the module proxy was asked %d times", n)
	}
	if after := tree(t, dir); !slices.Equal(after, before) {
		t.Errorf("before:\n%s\nafter:\n%s", strings.Join(before, "\n"), strings.Join(after, "\n"))
	}
}

// tree is each file below a folder, with its mode, size and time; of folders the name
// only, as the C compiler comes and goes in the one for temporary files. It leaves out
// an empty folder for an index that golang.org/x/tools makes in the user's cache whenever
// a program starts that u-root's build is linked into.
func tree(t *testing.T, dir string) (all []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, _ := filepath.Rel(dir, path)
		if name == "home" || name == "home/.cache" || name == "home/.cache/goimports" {
			return nil
		}
		if d.IsDir() {
			all = append(all, name)
			return nil
		}
		info, err := d.Info()
		if err == nil {
			all = append(all, fmt.Sprintf("%s %v %d %v", name, info.Mode(), info.Size(), info.ModTime().UnixNano()))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}
