package cli

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"ghostlab/lab/labtest"
	"ghostlab/lab/live"
)

// try runs `lab try` in the module of packages to try.
func try(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	labtest.Kernel(t)
	t.Chdir("testdata/try")
	return lab(t, append([]string{"try", "--config", "../../../../lab.yaml"}, args...)...)
}

// What go test gives a test, the guest gives it too.
func TestTryTests(t *testing.T) {
	runs := t.TempDir()
	events := filepath.Join(runs, "events")
	code, out, stderr := try(t, "./suite", "-run", ".", "-n", "2", "--gomaxprocs", "1,3", "--env", "WANT_PROCS=", "--runs", runs, "--json-events", events)
	if code != exitOK {
		t.Fatalf("exit code %d\n%s%s", code, out, stderr)
	}
	for _, want := range []string{
		`(?m)^1 +2 +0 .*\n3 +2 +0 `,
		`tests of example.com/tried/suite did not fail in 2 on arm64, gomaxprocs=1, .*with go1.21.6`,
		`lab try --config ../../../../lab.yaml ./suite -run . -n 2 .* --hunt -n 100000`,
	} {
		if !regexp.MustCompile(want).MatchString(out) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	text, err := os.ReadFile(events)
	if err != nil {
		t.Fatal(err)
	}
	count := map[string]int{}
	var last live.Event
	for line := range bytes.Lines(text) {
		last = live.Event{}
		if err := json.Unmarshal(line, &last); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		count[last.Event]++
	}
	if count["plan"] != 1 || count["trial"] != 4 || count["end"] != 1 || last.Event != "end" || last.Code == nil || *last.Code != exitOK {
		t.Errorf("events: %v\n%s", count, text)
	}
}

// A trial of a package repeats like one of a scenario, and its verdict says how.
func TestTryProgram(t *testing.T) {
	runs := t.TempDir()
	code, out, stderr := try(t, "./race", "-n", "3", "--engine", "deterministic", "--runs", runs)
	if code != exitDiffers {
		t.Fatalf("exit code %d\n%s%s", code, out, stderr)
	}
	if !strings.Contains(out, "example.com/tried/race failed in ") || !strings.Contains(out, "fatal error: concurrent map writes in main.main.func1") {
		t.Errorf("the verdict:\n%s", out)
	}
	replay := regexp.MustCompile(`(?m)^again, exactly: +lab replay (\S+)$`).FindStringSubmatch(out)
	if replay == nil {
		t.Fatalf("nothing to type next:\n%s", out)
	}
	if code, out, stderr := lab(t, "replay", replay[1], "--runs", runs); code != exitOK || !strings.HasSuffix(out, "\nidentical 1/1\n") {
		t.Errorf("replay: exit code %d\n%s%s", code, out, stderr)
	}
}

func TestTryRefusesWhatTestsNothing(t *testing.T) {
	for run, c := range map[string]struct {
		code int
		want string
	}{
		"TestSkipped": {exitUsage, "TestSkipped was skipped, which is no pass: idle_test.go:8: the moon is full\nhint: name other tests"},
		"TestNone":    {exitUsage, "no test has run, which is no pass\nhint: does -run match"},
		"TestLeaves":  {exitDiffers, "TestLeaves failed in 1 of 1"},
		"TestFails":   {exitDiffers, "--- FAIL: TestFails"},
	} {
		t.Run(run, func(t *testing.T) {
			code, out, stderr := try(t, "./idle", "-run", run, "-n", "1", "--runs", t.TempDir())
			if code != c.code || !strings.Contains(out+stderr, c.want) {
				t.Errorf("exit code %d, want %d with %q\n%s%s", code, c.code, c.want, out, stderr)
			}
		})
	}
}
