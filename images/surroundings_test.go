package images

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ghostlab/scenarios"
)

// What a package finds around it is its own: nothing of its history, of other
// modules, of the lab's runs or of the host's is among it.
func TestSurroundings(t *testing.T) {
	dir := module(t, "a")
	for _, name := range []string{
		"pkg/p_test.go", "pkg/testdata/in.txt", "pkg/testdata/mod/go.mod", "pkg/data.bin", "pkg/below/b.txt",
		"testdata/far.txt", "other/o.txt",
		"pkg/.git/config", "pkg/node_modules/x.js", "pkg/nested/go.mod", "pkg/nested/n.txt",
		"pkg/runs/r/run.json", "pkg/runs/r/trials.jsonl", "pkg/runs/r/trials/1/console.log",
	} {
		write(t, filepath.Join(dir, name), "package pkg\n")
	}
	for link, to := range map[string]string{"pkg/near": "data.bin", "pkg/host": "/etc/hostname"} {
		if err := os.Symlink(to, filepath.Join(dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(filepath.Join(dir, "pkg/data.bin"), 0o700); err != nil {
		t.Fatal(err)
	}
	files, err := surroundings(t.Context(), scenarios.Program{Dir: dir, Package: "./pkg", ImportPath: "p/pkg"}, "")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range files {
		got = append(got, f.Name+" "+f.Perm.String()+" "+f.Link)
	}
	want := `/src/p/go.mod -rw-r--r-- 
/src/p/pkg/below/b.txt -rw-r--r-- 
/src/p/pkg/data.bin -rwxr-xr-x 
/src/p/pkg/near -rw-r--r-- data.bin
/src/p/pkg/p_test.go -rw-r--r-- 
/src/p/pkg/testdata/in.txt -rw-r--r-- 
/src/p/pkg/testdata/mod/go.mod -rw-r--r-- 
/src/p/testdata/far.txt -rw-r--r-- `
	if s := strings.Join(got, "\n"); s != want {
		t.Errorf("got\n%s\nwant\n%s", s, want)
	}
	if around, err := surroundings(t.Context(), scenarios.Program{Dir: dir}, ""); around != nil || err != nil {
		t.Errorf("a scenario's program has %v around it (%v)", around, err)
	}
}
