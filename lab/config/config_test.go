package config

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/pflag"
)

func load(t *testing.T, yaml string, env []string, args ...string) (*Config, []Origin, error) {
	t.Helper()
	dir := t.TempDir()
	t.Chdir(dir)
	if yaml != "" {
		if err := os.WriteFile(File, []byte(yaml), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	flags := pflag.NewFlagSet("lab", pflag.ContinueOnError)
	AddFlags(flags)
	if err := flags.Parse(args); err != nil {
		t.Fatal(err)
	}
	return Load(flags, env)
}

func TestFlagsWinOverEnvironmentOverFileOverDefault(t *testing.T) {
	c, origins, err := load(t, "cpus: 3\nmemory: 300\ngo: 1.22.1\nruns: out\n", []string{"LAB_CPUS=4", "LAB_MEMORY=400", "LAB_STAND_IN=false", "PATH=x"}, "--cpus", "5")
	if err != nil {
		t.Fatal(err)
	}
	if c.CPUs != 5 || c.Memory != 400 || c.Go != "1.22.1" || c.StandIn || c.Kernel != "5.15" {
		t.Errorf("got %+v", c)
	}
	if wd, _ := os.Getwd(); c.Runs != filepath.Join(wd, "out") {
		t.Errorf("runs in %s", c.Runs)
	}
	from, value := map[string]string{}, map[string]string{}
	for _, o := range origins {
		from[o.Key], value[o.Key] = o.From, o.Value
	}
	if value["cpus"] != "5" || value["runs"] != c.Runs || value["cache"] != c.Cache || value["jobs"] != fmt.Sprint(c.Jobs) {
		t.Errorf("printed as %v", value)
	}
	for key, want := range map[string]string{"cpus": "flag --cpus", "memory": "environment LAB_MEMORY", "go": ":3:1", "runs": ":4:1", "kernel": "default", "cache": "default", "jobs": "default"} {
		if !strings.HasSuffix(from[key], want) {
			t.Errorf("%s comes from %q, want %q", key, from[key], want)
		}
	}
}

func TestPathsOfTheFileAreRelativeToIt(t *testing.T) {
	dir := t.TempDir()
	os.WriteFile(filepath.Join(dir, File), []byte("runs: out\n"), 0o644)
	sub := filepath.Join(dir, "a", "b")
	os.MkdirAll(sub, 0o755)
	t.Chdir(sub)
	flags := pflag.NewFlagSet("lab", pflag.ContinueOnError)
	AddFlags(flags)
	flags.Parse([]string{"--cache", "here"})
	c, _, err := Load(flags, nil)
	if err != nil {
		t.Fatal(err)
	}
	if c.Runs != filepath.Join(dir, "out") || c.Cache != filepath.Join(sub, "here") {
		t.Errorf("runs %s, cache %s", c.Runs, c.Cache)
	}
}

func TestKernelSourceLeavesTheSeriesOpen(t *testing.T) {
	c, _, err := load(t, "kernel: \"5.15\"\n", nil, "--kernel-source", "tree")
	if err != nil || c.Kernel != "" {
		t.Errorf("series %q, %v", c.Kernel, err)
	}
	c, _, err = load(t, "", nil, "--kernel-source", "tree", "--kernel", "6.1")
	if err != nil || c.Kernel != "6.1" {
		t.Errorf("series %q, %v", c.Kernel, err)
	}
}

func TestWrongSettingsAreRefusedWithTheirPlace(t *testing.T) {
	for _, c := range []struct {
		yaml string
		env  []string
		args []string
		want string
		hint string
	}{
		{yaml: "cpus: 2\ncpuz: 3\n", want: `unknown key "cpuz"`, hint: `did you mean "cpu"?`},
		{yaml: "cpus: two\n", want: `lab.yaml:1:1`},
		{yaml: "kernel: 5.15\n", want: `kernel: want a string`, hint: "quotes"},
		{yaml: "cpus: [\n", want: "lab.yaml"},
		{yaml: "cpus: 0\n", want: "cpus: want 1 to 8, got 0"},
		{env: []string{"LAB_CPUZ=1"}, want: `unknown setting "LAB_CPUZ"`, hint: `did you mean "cpu"?`},
		{env: []string{"LAB_CPUS=many"}, want: `cpus: want an integer, got "many" (environment LAB_CPUS)`},
		{args: []string{"--memory", "1"}, want: "(flag --memory)"},
		{args: []string{"--kernel", "2.6"}, want: "want one of 5.15, 6.1, 6.12"},
		{args: []string{"--go", "tip"}, want: "want a Go release"},
		{args: []string{"--config", "none.yaml"}, want: "no such file"},
	} {
		_, _, err := load(t, c.yaml, c.env, c.args...)
		var e *Error
		if !errors.As(err, &e) || !strings.Contains(err.Error(), c.want) || !strings.Contains(e.Hint(), c.hint) {
			t.Errorf("%q %q %q: %v", c.yaml, c.env, c.args, err)
		}
	}
}
