package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	osexec "os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/spf13/pflag"

	"ghostlab/lab/config"
	"ghostlab/lab/live"
	"ghostlab/scenarios"
)

// checkBlock reads a code block as the lab would.
func checkBlock(t *testing.T, b codeBlock) error {
	if b.language == "json" {
		d := json.NewDecoder(strings.NewReader(b.text))
		d.DisallowUnknownFields()
		for {
			if err := d.Decode(new(live.Event)); errors.Is(err, io.EOF) {
				return nil
			} else if err != nil {
				return err
			}
		}
	}
	var keys map[string]any
	if b.language != "yaml" {
		return errors.New("want yaml, json or no language")
	} else if err := yaml.Unmarshal([]byte(b.text), &keys); err != nil {
		return err
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "scenario.yaml")
	if err := os.WriteFile(file, []byte(b.text), 0o644); err != nil {
		return err
	}
	switch {
	case keys["scenario"] != nil:
		return checkMatrix(t, file)
	case keys["repro"] != nil:
		_, err := scenarios.Find("", dir)
		return err
	}
	return refusedLast(t, []string{"config", "--config", file})
}

// checkCommand reads a command line as lab would, up to what it would do. One that is
// mentioned in a sentence may lack arguments.
func checkCommand(t *testing.T, line string, complete bool) error {
	args, err := shellWords(t, line)
	if err != nil {
		return err
	}
	if !complete || slices.Contains(args, "--help") {
		return run(t.Context(), slices.Insert(args, 1, "--help"), nil, io.Discard, io.Discard)
	}
	if err := refusedLast(t, args); err != nil {
		return err
	}
	object, sets := "", []string{}
	for i, arg := range args[1:] {
		if object == "" && !strings.HasPrefix(arg, "-") {
			object = arg
		} else if args[i] == "--set" {
			sets = append(sets, "--set", arg)
		}
	}
	switch verb := args[0]; {
	case verb == "run" && !slices.Contains(args, "--resume"):
		for i, arg := range args {
			if strings.EqualFold(arg, "matrix.yaml") { // any matrix
				args[i] = "scenarios/ghost-map/matrix.yaml"
			}
		}
		return checkMatrix(t, args[1:]...)
	case verb == "build" && object != "" && !slices.Contains((&app{}).buildCommand().ValidArgs, object):
		return fmt.Errorf("build: no %s", object)
	case slices.Contains([]string{"hunt", "debug", "shell"}, verb) && aScenario.MatchString(object):
		file := filepath.Join(t.TempDir(), "hunt.yaml")
		if err := os.WriteFile(file, []byte("search: hunt\nscenario: "+object+"\n"), 0o644); err != nil {
			return err
		}
		return checkMatrix(t, append(sets, file)...)
	}
	return nil
}

// aScenario is its name, neither the path of a package nor a placeholder.
var aScenario = regexp.MustCompile(`^[a-z][a-z-]*$`)

// refusedLast returns what is wrong with a command line, of a flag, a setting or a
// number of arguments. The file for events is opened after all these were read and
// before the verb does anything: here it cannot be.
func refusedLast(t *testing.T, args []string) error {
	const first, last = "/dev/null/first", "/dev/null/last"
	end := len(args)
	if i := slices.Index(args, "--"); i >= 0 {
		end = i
	}
	args = slices.Insert(slices.Clone(args), end, "--json-events="+last)
	args = slices.Insert(args, 1, "--json-events="+first)
	err := run(t.Context(), args, nil, io.Discard, io.Discard)
	var path *fs.PathError
	switch {
	case errors.As(err, &path) && path.Path == last:
		return nil
	case errors.As(err, &path) && path.Path == first:
		return errors.New("the last flag lacks its value")
	case err == nil:
		return errors.New("want a verb")
	}
	return err
}

// checkMatrix reads a matrix with the flags of lab run: the number of guests is looked
// at after it, and is wrong here. Were it not, nothing would run either.
func checkMatrix(t *testing.T, args ...string) error {
	args = slices.Concat([]string{"run", "--dry-run"}, args, []string{"--guests=-1"})
	err := run(t.Context(), args, nil, io.Discard, io.Discard)
	switch {
	case err == nil:
		return errors.New("lab run takes -1 guests")
	case strings.HasPrefix(err.Error(), "--guests: "):
		return nil
	}
	return err
}

// shellWords are lab's arguments in a command line, as a shell makes them of it. The
// environment variables before it are set for the rest of the test.
func shellWords(t *testing.T, line string) ([]string, error) {
	dir := t.TempDir()
	for assignment, rest, ok := strings.Cut(line, " "); ok && assignment != "lab"; assignment, rest, ok = strings.Cut(line, " ") {
		name, value, _ := strings.Cut(assignment, "=")
		t.Setenv(name, value)
		line = rest
	}
	sh, err := osexec.LookPath("sh")
	if err != nil {
		return nil, err
	}
	// Other programs of a pipe are not there.
	cmd := osexec.CommandContext(t.Context(), sh, "-c", "lab() { printf '%s\\0' \"$@\" >words; }; "+line+"\nwait")
	cmd.Dir = dir
	cmd.Env = []string{"PATH=" + dir, "HOME=" + dir, "GITHUB_STEP_SUMMARY=summary"}
	said, _ := cmd.CombinedOutput()
	words, err := os.ReadFile(filepath.Join(dir, "words"))
	if err != nil {
		return nil, fmt.Errorf("sh: %s", said)
	}
	return strings.Split(strings.TrimSuffix(string(words), "\x00"), "\x00"), nil
}

// verbNames are the names of lab's verbs, as its documentation shows them.
func verbNames(t *testing.T) (names []string) {
	var out bytes.Buffer
	if err := run(t.Context(), []string{"__complete", ""}, nil, &out, io.Discard); err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.Split(out.String(), "\n") {
		if name, _, ok := strings.Cut(line, "\t"); ok && name != "help" {
			names = append(names, "lab "+name)
		}
	}
	return names
}

// keyNames are the keys of a matrix.
func keyNames(t *testing.T) (names []string) {
	var out bytes.Buffer
	if err := run(t.Context(), []string{"schema"}, nil, &out, io.Discard); err != nil {
		t.Fatal(err)
	}
	var schema struct{ Properties map[string]any }
	if err := json.Unmarshal(out.Bytes(), &schema); err != nil {
		t.Fatal(err)
	}
	for name := range schema.Properties {
		names = append(names, "`"+name+"`")
	}
	return names
}

// settingNames are the keys of lab.yaml.
func settingNames() (names []string) {
	flags := pflag.NewFlagSet("", pflag.ContinueOnError)
	config.AddFlags(flags)
	flags.VisitAll(func(f *pflag.Flag) { names = append(names, "`--"+f.Name+"`") })
	return names
}

// fieldNames are the fields of the lines that --json-events writes.
func fieldNames() (names []string) {
	event := reflect.TypeFor[live.Event]()
	for i := range event.NumField() {
		name, _, _ := strings.Cut(event.Field(i).Tag.Get("json"), ",")
		names = append(names, "`"+name+"`")
	}
	return names
}
