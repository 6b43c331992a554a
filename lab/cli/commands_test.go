package cli

import (
	"bytes"
	"html"
	"maps"
	"os"
	osexec "os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"ghostlab/lab/config"
	"ghostlab/lab/experiment"
	"ghostlab/lab/journal"
	"ghostlab/lab/matrix"
	"ghostlab/lab/report"
	"ghostlab/scenarios"
)

// Each command that a report prints, read by the flags' own parsers, is the matrix
// that was run, or the cell of it.
func TestCommandsOfAReport(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("LAB_SCENARIOS", filepath.Join(root, "scenarios"))
	t.Chdir(t.TempDir())
	for name, text := range map[string]string{
		"go.mod": "module m\n\ngo 1.21\n", "m.go": "package m\n", "m_test.go": "package m\n",
		"hunt.yaml": "scenario: ghost-map\nsearch: hunt\naxes: {key_space: [fixed, growing]}\n",
		"my matrix.yaml": `
scenario: ghost-map
trials: 7
shift: 6
axes: {gomaxprocs: [1, 2], cpu: ["max,pauth=off", cortex-a57], env.X: ["a,b", c d, "[e]"]}
exclude: [{gomaxprocs: 1, env.X: c d}]
stop: {width: 0.2}
`,
	} {
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, args := range [][]string{
		{"run", "my matrix.yaml"},
		{"run", "my matrix.yaml", "--set", "shift=5", "--set", "timeout=90s", "--set", "stop.width=0.1", "--set", "stop.first=hang,crash", "--set", "collect.passes=2"},
		{"run", "my matrix.yaml", "--set", "memory=512M,1G", "--set", "env.X=['x,y', z]", "--only", "gomaxprocs=2", "--only", `env.X=["x,y"]`, "-n", "3", "--seed", "9"},
		{"run", "my matrix.yaml", "--set", "axes.engine=parallel,deterministic", "--set", "axes.shift=2,3", "--set", "exclude=[{engine: parallel, shift: 2}]", "--isolation", "boot", "--cpus", "4"},
		{"run", "hunt.yaml", "--seed", "3"},
		{"try", ".", "-run", "A|B", "--env", "X=a b,c", "--env", `Y=["1,2", "\x1b[31m", "ä"]`, "--vcpus", "1", "--set", "kernel=5.15,6.1", "--timeout", "3s", "--", "-n", "a b"},
		{"try", ".", "-run", ".", "--go", "1.21.6,1.24.6", "--gomaxprocs", "1,2", "--engine", "deterministic", "--set", "stop.first=crash", "--memory", "1024"},
		{"try", ".", "-run", ".", "--hunt", "--set", "env.X='"},
		{"hunt", "ghost-map", "--set", "iterations=7", "--set", "env.X=a,", "--seed", "4", "--trials", "50"},
	} {
		t.Run(strings.Join(args, " "), func(t *testing.T) {
			was := typed(t, args)
			whole, cells := printed(t, was)
			if len(was.Cells) > 1 && len(cells) != len(was.Cells) {
				t.Fatalf("%d cells have %d commands", len(was.Cells), len(cells))
			}
			is := typed(t, whole)
			if changes := journal.Compare(&was, &is); len(changes) > 0 {
				t.Errorf("%q is another matrix: %v", whole, changes)
			}
			for i, args := range cells {
				one := typed(t, args)
				if len(one.Cells) != 1 || !maps.Equal(one.Cells[0].Axes, was.Cells[i].Axes) {
					t.Errorf("%q is %v, want cell %v", args, one.Cells, was.Cells[i])
				}
				one.Axes, one.Cells, one.Expect = was.Axes, was.Cells, was.Expect
				one.Commands = was.Commands
				if changes := journal.Compare(&was, &one); len(changes) > 0 {
					t.Errorf("%q: %v", args, changes)
				}
			}
		})
	}
}

// typed is the run that a command line of lab would make.
func typed(t *testing.T, args []string) journal.Run {
	t.Helper()
	a := &app{}
	verbs := map[string]func() *cobra.Command{"run": a.runCommand, "try": a.tryCommand, "hunt": a.huntCommand}
	cmd := verbs[args[0]]()
	root := &cobra.Command{Use: "lab"}
	config.AddFlags(root.PersistentFlags())
	root.AddCommand(cmd)
	args = goStyle(root, args)[1:]
	flags := cmd.Flags()
	err := cmd.ParseFlags(args)
	if err == nil {
		a.cfg, a.origins, err = config.Load(flags, os.Environ())
	}
	if err != nil {
		t.Fatalf("%q: %v", args, err)
	}
	texts := func(name string) []string {
		if flags.Lookup(name) == nil {
			return nil
		}
		all, err := flags.GetStringArray(name)
		if err != nil {
			t.Fatal(err)
		}
		return all
	}
	f := runFlags{set: texts("set"), only: texts("only")}
	file := ""
	var m *matrix.Matrix
	switch cmd.Name() {
	case "run":
		file = flags.Arg(0)
		m, _, err = a.matrix(file, flags, f)
	case "try":
		f := tryFlags{runFlags: f, releases: *flags.Lookup("go").Value.(*releases), run: flags.Lookup("run").Value.String(), env: texts("env"), hunt: flags.Changed("hunt")}
		var p scenarios.Program
		var settings config.Config
		if p, settings, err = a.program(t.Context(), flags.Arg(0), flags.Args()[1:], &f); err == nil {
			a.cfg = &settings
			m, err = tried(settings, flags, p, f)
		}
	case "hunt":
		f := huntFlags{set: f.set, limit: 1, enough: 1}
		f.trials, _ = flags.GetInt("trials")
		f.seed, _ = flags.GetUint64("seed")
		var s *scenarios.Scenario
		if s, err = scenarios.Find(a.cfg.Scenarios, flags.Arg(0)); err == nil {
			m, err = a.hunted(s, f)
		}
	}
	if err != nil {
		t.Fatalf("%q: %v", args, err)
	}
	run := experiment.PlanOf(m)
	run.ID, run.Matrix, run.Go, run.Commands = "x", file, a.cfg.Go, make([]journal.Command, len(run.Cells))
	run.Kernels = []journal.Kernel{{Asked: a.cfg.Kernel}}
	run.Guest = journal.Guest{CPU: a.cfg.CPU, VCPUs: a.cfg.CPUs, Memory: a.cfg.Memory}
	return run
}

var commandOfReport = regexp.MustCompile(`<code id="(again|cell-\d+)">([^<]*)</code>`)

// printed are the arguments of the commands in a run's report: for all of it, and
// for each cell.
func printed(t *testing.T, run journal.Run) (whole []string, cells [][]string) {
	t.Helper()
	f, err := journal.Create(t.TempDir(), run)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	s, err := report.Read(f.Dir())
	if err != nil {
		t.Fatal(err)
	}
	var page bytes.Buffer
	if err := s.HTML(&page); err != nil {
		t.Fatal(err)
	}
	for _, c := range commandOfReport.FindAllStringSubmatch(page.String(), -1) {
		line := html.UnescapeString(c[2])
		words, err := osexec.CommandContext(t.Context(), "sh", "-c", `lab() { printf '%s\0' "$@"; }; `+line).Output()
		if err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		args := strings.Split(strings.TrimSuffix(string(words), "\x00"), "\x00")
		if c[1] == "again" {
			whole = args
		} else {
			cells = append(cells, args)
		}
	}
	return whole, cells
}
