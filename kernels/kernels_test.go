package kernels

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"ghostlab/lab/store"
)

func TestAllSeriesLoad(t *testing.T) {
	if got := strings.Join(Known(), " "); got != "5.15 6.1 6.12" {
		t.Errorf("series in order: %s", got)
	}
	for _, name := range Known() {
		s, err := Load(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range append(s.Patches, s.Config...) {
			if text, err := readDefinition(s, f); err != nil || text == "" {
				t.Errorf("%s: %s: %v", name, f, err)
			}
		}
	}
	_, err := Load("4.19")
	var unknown *UnknownSeriesError
	if !errors.As(err, &unknown) || !strings.Contains(err.Error(), "5.15, 6.1, 6.12") {
		t.Errorf("an unknown series: %v", err)
	}
	for series, lender := range map[string]string{"4.19": "5.15", "5.10": "5.15", "5.19": "5.15", "6.1": "", "6.6": "6.1", "6.11": "6.1", "6.18": "6.12", "7.0": "6.12"} {
		if s, err := LoadOrBorrow(series); err != nil || s.Series != series || s.Lender != lender || len(s.Patches) == 0 || lender != "" && s.Sources != nil {
			t.Errorf("%s is served by %+v, %v", series, s, err)
		}
	}
}

func TestVersion(t *testing.T) {
	for _, c := range []struct{ makefile, want string }{
		{"VERSION = 5\nPATCHLEVEL = 15\nSUBLEVEL = 135\nEXTRAVERSION =\nNAME = Trick or Treat\n", "5.15.135"},
		{"VERSION = 6\nPATCHLEVEL = 12\nSUBLEVEL = 0\nEXTRAVERSION = -rc3\n", "6.12.0-rc3"},
		{"all: hello\n", ""},
		{"", ""},
	} {
		got, err := version([]byte(c.makefile))
		if got != c.want || (err == nil) != (c.want != "") {
			t.Errorf("%q: %q, %v", c.makefile, got, err)
		}
	}
	for v, want := range map[string]string{"5.15.135": "5.15", "6.12-rc1": "6.12", "6.12.0-rc3": "6.12", "6": "6"} {
		if got := seriesOf(v); got != want {
			t.Errorf("series of %s: %s", v, got)
		}
	}
}

func TestForeignTreesAreRefused(t *testing.T) {
	st, err := store.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	old := tree(t, map[string]string{"Makefile": "VERSION = 4\nPATCHLEVEL = 19\nSUBLEVEL = 1\n"})
	for path, want := range map[string]string{
		old:                                "0001-mm-lab-fault.patch does not apply to " + old + ":\n  mm/Kconfig.debug: no such file",
		tree(t, nil):                       "no Makefile",
		filepath.Join(t.TempDir(), "none"): "no such file",
		"/etc/passwd":                      "not a tarball",
	} {
		_, err := Ensure(t.Context(), st, Options{Source: path}, nil)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", path, err, want)
		}
	}
}

// tree makes a folder with files.
func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestDigestFollowsTheContent(t *testing.T) {
	st, err := store.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	dir := tree(t, map[string]string{"Makefile": "VERSION = 5", "mm/memory.c": "int a;", "mm/memory.o": "built", ".git/HEAD": "x"})
	first, err := digest(t.Context(), st, dir)
	if err != nil {
		t.Fatal(err)
	}
	os.WriteFile(filepath.Join(dir, "mm/memory.o"), []byte("built again"), 0o644)
	os.WriteFile(filepath.Join(dir, ".git/HEAD"), []byte("yz"), 0o644)
	if again, _ := digest(t.Context(), st, dir); again != first {
		t.Error("a build in the tree changed its digest")
	}
	os.WriteFile(filepath.Join(dir, "mm/memory.c"), []byte("int b;"), 0o644)
	if changed, _ := digest(t.Context(), st, dir); changed == first {
		t.Error("a changed source left the digest as it was")
	}
}

func TestAnswersAreKeptUntilAFileChanges(t *testing.T) {
	st, err := store.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	dir := tree(t, map[string]string{"a": "one", "mm/b": "two"})
	asked := 0
	ask := func() (string, error) {
		asked++
		return fmt.Sprint("answer ", asked), nil
	}
	expect := func(want, after string) {
		t.Helper()
		if got, err := remember(t.Context(), st, "test", dir, ask); err != nil || got != want {
			t.Errorf("%s: %q, want %q (%v)", after, got, want, err)
		}
	}
	expect("answer 1", "first")
	expect("answer 1", "nothing changed")
	later := time.Now().Add(time.Hour)
	if err := os.Chtimes(filepath.Join(dir, "mm/b"), later, later); err != nil {
		t.Fatal(err)
	}
	expect("answer 2", "a new time")
	if err := os.WriteFile(filepath.Join(dir, "c"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	expect("answer 3", "a new file")
	failed := errors.New("no")
	if _, err := remember(t.Context(), st, "other", dir, func() (string, error) { return "", failed }); !errors.Is(err, failed) {
		t.Errorf("got %v", err)
	}
	if got, err := remember(t.Context(), st, "other", dir, ask); err != nil || got != "answer 4" {
		t.Errorf("after a failure: %q, %v", got, err)
	}
}

func TestPatchThatDoesNotFitChangesNothing(t *testing.T) {
	const patch = "--- a/one\n+++ b/one\n@@ -1 +1 @@\n-1\n+one\n--- a/mm/two\n+++ b/mm/two\n@@ -1 +1 @@\n-2\n+two\n"
	s := &Series{Series: "6.6", Lender: "6.1", files: fstest.MapFS{"patches/x.patch": {Data: []byte(patch)}}}
	dir := tree(t, map[string]string{"one": "1\n", "mm/two": "something else\n"})
	err := applyPatch(t.Context(), s, "patches/x.patch", dir, "the tree")
	var not *PatchError
	if !errors.As(err, &not) || !strings.Contains(err.Error(), "mm/two: Hunk #1 FAILED at 1") || !strings.Contains(not.Hint(), "that of 6.1, for want of one for 6.6") {
		t.Errorf("got %v, want the file that did not fit", err)
	}
	if b, _ := os.ReadFile(filepath.Join(dir, "one")); string(b) != "1\n" {
		t.Errorf("the first file became %q", b)
	}
	dir = tree(t, map[string]string{"one": "1\n", "mm/two": "2\n"})
	if err := applyPatch(t.Context(), s, "patches/x.patch", dir, "the tree"); err != nil {
		t.Error(err)
	}
	if b, _ := os.ReadFile(filepath.Join(dir, "mm/two")); string(b) != "two\n" {
		t.Errorf("the second file became %q", b)
	}
}

func TestDroppedOptionsAreNamedWithTheirDependency(t *testing.T) {
	dir := tree(t, map[string]string{
		".config":    "CONFIG_A=y\n# CONFIG_MODULES is not set\nCONFIG_EXPERT=y\n",
		"Kconfig":    "config MODULES\n\tbool \"Modules\"\n\nif MODULES\nconfig PROBES\n\tbool \"Probes\"\n\tdepends on A && !EXPERT\n\thelp\n\t  config NOT_ONE\nendif\n",
		"mm/Kconfig": "config HIDDEN\n\tbool\n",
	})
	want, err := parseConfig("my.config", []byte("CONFIG_A=y\nCONFIG_PROBES=y\nCONFIG_HIDDEN=y\nCONFIG_GONE=y\n# CONFIG_B is not set\n"))
	if err != nil {
		t.Fatal(err)
	}
	_, err = verify(dir, want, false)
	var bad *ConfigError
	if !errors.As(err, &bad) || len(bad.Dropped) != 3 {
		t.Fatalf("got %v", err)
	}
	for _, part := range []string{
		"my.config:2: CONFIG_PROBES=y was dropped, it is n: it depends on MODULES && A && !EXPERT, but EXPERT is on, MODULES is off (Kconfig:5)",
		"my.config:3: CONFIG_HIDDEN=y was dropped, it is n: it cannot be set by hand",
		"my.config:4: CONFIG_GONE=y was dropped, it is n: this kernel has no such option",
	} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%v\nlacks %q", err, part)
		}
	}
	// A kernel is forgiven for what it does not know where nobody wrote for it.
	if _, err = verify(dir, want, true); !errors.As(err, &bad) || len(bad.Dropped) != 2 {
		t.Errorf("borrowed: %v", err)
	}
	if lacks, err := verify(dir, want[3:], true); err != nil || len(lacks) != 1 || lacks[0].Name != "CONFIG_GONE" {
		t.Errorf("borrowed: lacks %v, %v", lacks, err)
	}
}

func TestCompilerErrors(t *testing.T) {
	log := `  CC      mm/memory.o
In file included from mm/lab_fault.c:12:
mm/lab_fault.c: In function 'f':
mm/lab_fault.c:70:2: error: implicit declaration of function 'g'
   70 |  g();
      |  ^
  CC      mm/util.o
make[1]: *** [scripts/Makefile.build:289: mm/lab_fault.o] Error 1
make: *** [Makefile:1907: mm] Error 2`
	got := compilerErrors(log)
	if !strings.Contains(got, "implicit declaration") || !strings.Contains(got, "In function 'f'") || strings.Contains(got, "make") || strings.Contains(got, "util.o") {
		t.Errorf("got:\n%s", got)
	}
	if got := compilerErrors("make: *** No rule to make target 'Image'.  Stop."); !strings.Contains(got, "No rule") {
		t.Errorf("nothing but make's line: %q", got)
	}
}

// Two folders, two users, two time zones: the same bytes.
func TestBuildLeavesNoTraceOfTheHost(t *testing.T) {
	const makefile = "Image: ; $(CROSS_COMPILE)gcc $(KCFLAGS) -g -c -o Image $(CURDIR)/a.c && echo $(KBUILD_BUILD_USER) $(KBUILD_BUILD_TIMESTAMP) >>Image\n"
	const source = "const char *where(void) { return __FILE__; }\n"
	var images [2]string
	for i := range images {
		t.Setenv("USER", fmt.Sprint("user", i))
		t.Setenv("TZ", []string{"UTC", "Asia/Tokyo"}[i])
		t.Setenv("KBUILD_BUILD_USER", fmt.Sprint("user", i))
		dir := tree(t, map[string]string{"Makefile": makefile, "a.c": source})
		mk := &maker{dir: dir, jobs: 1, log: io.Discard}
		if err := mk.make(t.Context(), nil, "Image"); err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(filepath.Join(dir, "Image"))
		if err != nil {
			t.Fatal(err)
		}
		images[i] = string(b)
	}
	if images[0] != images[1] {
		t.Error("two folders gave two objects")
	}
	if !strings.Contains(images[0], buildRoot+"/a.c") {
		t.Error("the object does not name its source as gdb will look for it")
	}
}

func FuzzParseConfig(f *testing.F) {
	f.Add("CONFIG_A=y\n# CONFIG_B is not set\n")
	f.Fuzz(func(t *testing.T, text string) {
		opts, err := parseConfig("f", []byte(text))
		if err != nil {
			return
		}
		for _, o := range opts {
			if !strings.HasPrefix(o.name, "CONFIG_") || o.value == "" {
				t.Errorf("%+v", o)
			}
		}
	})
}
