package cli

import (
	"context"
	"fmt"
	"os"
	osexec "os/exec"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"ghostlab/lab/config"
	"ghostlab/lab/experiment"
	"ghostlab/lab/matrix"
	"ghostlab/lab/provision"
	"ghostlab/lab/runner"
	"ghostlab/lab/toolchain"
	"ghostlab/lab/usage"
	"ghostlab/scenarios"
)

type tryFlags struct {
	runFlags
	releases          releases
	run               string
	gomaxprocs, vcpus string
	env               []string
	tags              string
	race, cgo, hunt   bool
	limit             time.Duration
}

// tryTimeout is long enough for a test that takes a second on a real machine: an
// emulated one is 10 to 30 times slower.
const tryTimeout = time.Minute

func (a *app) tryCommand() *cobra.Command {
	f := tryFlags{}
	cmd := &cobra.Command{
		Use:   "try PACKAGE [-- ARGUMENTS]",
		Short: "Run a package's program or tests on arm64, and say how often they fail",
		Long: `Run any Go main package, or with -run a package's tests, on arm64: no YAML. The package
is found and compiled as by the go command in this folder, with the toolchains of --go
or the one that the module uses, and runs in the folder of that package with the files
in it. It is a matrix of one cell, or of all combinations of the lists given; its run can
be shown, replayed and resumed like any other.

The guest is a small arm64 Linux: /tmp, /proc, /sys with cgroups, /dev with terminals,
loopback for IPv4 and IPv6, user root, all time zones (it is in UTC). It has no shell, no
go command, no network, no name server and no TLS roots.

File names in the program are import paths, as with -trimpath. Trials that share a guest
(--isolation process) share the package's folder too.

Exit codes: 0 nothing failed, 1 something did (with --hunt: not found), 2 wrong use or a
package that does not build.`,
		Example: `  lab try ./cmd/server -n 50
  lab try ./queue -run TestClose -n 200 --go 1.21.6,1.24.6 --gomaxprocs 1,2,4
  lab try ./queue -run . -race
  lab try ./queue -run TestClose --engine deterministic
  lab try ./queue -run TestClose --hunt            search for a schedule that fails
  lab try ./cmd/tool --env GODEBUG=asyncpreemptoff=0,asyncpreemptoff=1 -- -workers 4
  lab try ./queue -run . --set stop.first=crash --set kernel=5.15,6.12`,
		Args: func(cmd *cobra.Command, args []string) error {
			if n := cmd.ArgsLenAtDash(); n >= 0 {
				args = args[:n]
			}
			return exactly("a package")(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error { return a.try(cmd, args[0], args[1:], f) },
	}
	flags := cmd.Flags()
	flags.Var(&f.releases, "go", "Go `releases` to compile with, such as 1.21.6,1.24.6 (default: the one that the module uses)")
	flags.StringVar(&f.run, "run", "", "run the tests that match the `expression`, as go test does; -run . for all")
	flags.StringVar(&f.tags, "tags", "", "build `tags`, with commas between them")
	flags.BoolVar(&f.race, "race", false, "compile with the race detector")
	flags.BoolVar(&f.cgo, "cgo", false, "compile with the C compiler for arm64")
	flags.StringVar(&f.gomaxprocs, experiment.MaxProcs, "", "`values` of GOMAXPROCS, such as 1,2,4")
	flags.StringVar(&f.vcpus, matrix.AxisVCPUs, "", "`numbers` of vCPUs of the guest, such as 1,4")
	flags.StringArrayVar(&f.env, "env", nil, "values of an environment variable, as `NAME=a,b`; may be repeated")
	flags.Duration(matrix.KeyTimeout, tryTimeout, "the longest `time` a trial may take, in the guest")
	flags.BoolVar(&f.hunt, "hunt", false, "search for a schedule that fails, and stop there")
	flags.DurationVar(&f.limit, "limit", 10*time.Minute, "`time` after which a hunt gives up")
	f.add(flags)
	return cmd
}

// goStyle makes -run and -race of --run and --race, for those who have typed
// `go test` all their life.
func goStyle(root *cobra.Command, args []string) []string {
	cmd, _, err := root.Find(args)
	if err != nil || cmd.Name() != "try" {
		return args
	}
	args = slices.Clone(args)
	for i, arg := range args {
		if arg == "--" {
			break
		}
		name, _, _ := strings.Cut(strings.TrimPrefix(arg, "-"), "=")
		if strings.HasPrefix(arg, "-") && len(name) > 1 && cmd.Flag(name) != nil {
			args[i] = "-" + arg
		}
	}
	return args
}

func (a *app) try(cmd *cobra.Command, pattern string, args []string, f tryFlags) error {
	p, settings, err := a.program(cmd.Context(), pattern, args, &f)
	if err != nil {
		return err
	}
	m, err := tried(settings, cmd.Flags(), p, f)
	if err != nil {
		return err
	}
	if err := f.check(m); err != nil {
		return err
	}
	l, err := a.lab()
	if err != nil {
		return err
	}
	l.Provider = l.With(settings)
	if f.hunt {
		return a.carryOutHunt(cmd.Context(), l, m, runner.Failed, huntFlags{enough: 1, limit: f.limit, guests: f.guests, json: f.json})
	}
	dir, err := a.execute(cmd.Context(), l, f.experiment(m), f.json)
	if err != nil {
		return err
	}
	return a.verdict(cmd, dir, p, f.json)
}

// program finds the package and says how it is built and run, and with which settings:
// the toolchain may be the module's.
func (a *app) program(ctx context.Context, pattern string, args []string, f *tryFlags) (scenarios.Program, config.Config, error) {
	settings := *a.cfg
	dir, err := os.Getwd()
	if err != nil {
		return scenarios.Program{}, settings, err
	}
	if settings.Go, err = a.chooseGo(ctx, dir); err != nil {
		return scenarios.Program{}, settings, err
	}
	p, err := programOf(ctx, settings, dir, pattern, args, f)
	return p, settings, err
}

func programOf(ctx context.Context, settings config.Config, dir, pattern string, args []string, f *tryFlags) (scenarios.Program, error) {
	p := scenarios.Program{Dir: dir, Package: pattern, Tests: f.run != "", Race: f.race, Tags: f.tags, Args: args}
	if p.Cgo = f.race || f.cgo; p.Cgo {
		p = provision.Compiler(settings, p)
		if _, err := osexec.LookPath(p.CC); err != nil {
			return p, usage.New(fmt.Errorf("--race and --cgo need a C compiler for arm64: %w", err), "`lab doctor` names the command that installs it")
		}
	}
	pkg, err := toolchain.Find(ctx, toolchain.Build{Go: settings.Go, Dir: dir, Package: pattern, InPlace: true, CC: p.CC, Race: p.Race, Tags: p.Tags})
	if err != nil {
		return p, err
	}
	p.ImportPath = pkg.ImportPath
	switch {
	case p.Tests && !pkg.HasTests():
		return p, usage.New(fmt.Errorf("%s has no test files", pkg.ImportPath), "without -run its main function runs")
	case p.Tests:
		if _, err := regexp.Compile(f.run); err != nil {
			return p, usage.New(fmt.Errorf("-run: %w", err), "")
		}
		// As go test calls it: what exits with 0 in a test is no pass.
		p.Args = append([]string{"-test.paniconexit0", "-test.v=true", testRun + f.run}, args...)
	case pkg.Name != "main" && pkg.HasTests():
		return p, usage.New(fmt.Errorf("%s is no program", pkg.ImportPath), "to run its tests say -run . or name one")
	case pkg.Name != "main":
		return p, usage.New(fmt.Errorf("%s is no program, and it has no tests", pkg.ImportPath), "")
	}
	return p, nil
}

// chooseGo returns the toolchain: that of a flag, the environment or the
// settings file, or else the one that the go command takes in this folder.
func (a *app) chooseGo(ctx context.Context, dir string) (string, error) {
	for _, o := range a.origins {
		if o.Key == "go" && o.From == "default" {
			return toolchain.Own(ctx, dir)
		}
	}
	return a.cfg.Go, nil
}

// tried is the matrix of a program: its flags are the keys and axes of a file.
func tried(settings config.Config, flags *pflag.FlagSet, p scenarios.Program, f tryFlags) (*matrix.Matrix, error) {
	opt := matrix.Options{Presets: experiment.Presets(settings)}
	add := func(name, value, words string) {
		opt.Set = append(opt.Set, matrix.Flag{Name: name, Value: value, Words: "flag --" + words})
	}
	if f.hunt {
		add(matrix.KeySearch, matrix.Hunt, "hunt")
		if !flags.Changed(matrix.KeyTrials) {
			add(matrix.KeyTrials, fmt.Sprint(experiment.MostHunted), "hunt")
		}
	}
	if len(f.releases) > 1 {
		add(matrix.AxisGo, strings.Join(f.releases, ","), "go")
	}
	for _, name := range []string{experiment.MaxProcs, matrix.AxisVCPUs, matrix.KeyTimeout} {
		if x := flags.Lookup(name); x.Changed {
			add(name, x.Value.String(), name)
		}
	}
	for _, text := range f.env {
		name, values, ok := strings.Cut(text, "=")
		if !ok {
			return nil, usage.New(fmt.Errorf("--env: want NAME=a,b, got %q", text), "")
		}
		add(matrix.EnvPrefix+name, values, "env "+text)
	}
	own, err := f.settings(flags)
	if err != nil {
		return nil, err
	}
	opt.Set = append(opt.Set, own...)
	m, err := matrix.Of(scenarios.Of(p, tryTimeout), opt)
	if err == nil && f.hunt {
		experiment.Threaded(m, 0)
	}
	return m, err
}

// releases is a list of Go releases. To the settings it is the first of them.
type releases []string

func (r *releases) Type() string { return "string" }

func (r *releases) String() string {
	if len(*r) == 0 {
		return ""
	}
	return (*r)[0]
}

func (r *releases) Set(text string) error {
	*r = strings.Split(text, ",")
	for _, v := range *r {
		if err := toolchain.CheckVersion(v); err != nil {
			return err
		}
	}
	return nil
}
