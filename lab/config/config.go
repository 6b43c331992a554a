// Package config makes one immutable struct of lab.yaml, the environment and
// the flags. It is the only user of viper, and holds settings only: matrices and
// scenarios have loaders of their own.
package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"sort"
	"strconv"
	"strings"

	"github.com/go-viper/mapstructure/v2"
	"github.com/spf13/pflag"
	"github.com/spf13/viper"

	"ghostlab/kernels"
	"ghostlab/lab/matrix"
	"ghostlab/lab/suggest"
	"ghostlab/lab/toolchain"
)

// Config is the lab's settings, all of them valid.
type Config struct {
	// Kernel is the series asked for. With KernelSource and no series set by
	// hand it is empty: the tree says which series it is.
	Kernel       string `mapstructure:"kernel"`
	KernelSource string `mapstructure:"kernel_source"`
	StandIn      bool   `mapstructure:"stand_in"`
	Go           string `mapstructure:"go"`
	// CPU is QEMU's name of the model, CPUs the number of vCPUs, Memory MiB.
	CPU    string `mapstructure:"cpu"`
	CPUs   int    `mapstructure:"cpus"`
	Memory int    `mapstructure:"memory"`
	// Cache and Runs are absolute folders.
	Cache string `mapstructure:"cache"`
	Runs  string `mapstructure:"runs"`
	// Scenarios is the folder of the scenarios, absolute.
	Scenarios    string `mapstructure:"scenarios"`
	QEMU         string `mapstructure:"qemu"`
	CrossCompile string `mapstructure:"cross_compile"`
	// Jobs is make's -j and, divided by CPUs, the number of guests at once.
	Jobs int `mapstructure:"jobs"`
}

// File is the name of the settings file.
const File = "lab.yaml"

// Origin says where a value comes from.
type Origin struct {
	Key, Value string
	// From is "default", a file, "environment LAB_X" or "flag --x".
	From string
}

// Error is a setting that cannot be.
type Error struct {
	// From is where it was set.
	From   string
	Err    error
	Advice string
}

func (e *Error) Error() string { return fmt.Sprintf("%v (%s)", e.Err, e.From) }

// BadInput marks what the user can mend, see usage.IsBadInput.
func (*Error) BadInput() {}

func (e *Error) Unwrap() error { return e.Err }

// Hint says what to do about it.
func (e *Error) Hint() string { return e.Advice }

// Load reads the settings. Errors are *Errors.
func Load(flags *pflag.FlagSet, environ []string) (*Config, []Origin, error) {
	l := &loader{v: viper.New(), flags: flags}
	for _, s := range settings() {
		l.v.SetDefault(s.key, s.value)
	}
	if err := l.readFile(); err != nil {
		return nil, nil, err
	}
	if err := l.readEnv(environ); err != nil {
		return nil, nil, err
	}
	for _, s := range settings() {
		if err := l.v.BindPFlag(s.key, flags.Lookup(flagName(s.key))); err != nil {
			return nil, nil, err
		}
	}
	c := &Config{}
	strict := func(d *mapstructure.DecoderConfig) { d.WeaklyTypedInput = false }
	if err := l.v.UnmarshalExact(c, strict); err != nil {
		return nil, nil, l.explain(err)
	}
	if err := l.check(c); err != nil {
		return nil, nil, err
	}
	if err := l.resolve(c); err != nil {
		return nil, nil, err
	}
	var origins []Origin
	for _, s := range settings() {
		origins = append(origins, Origin{s.key, fmt.Sprint(l.v.Get(s.key)), l.from(s.key)})
	}
	return c, origins, nil
}

type loader struct {
	v     *viper.Viper
	flags *pflag.FlagSet
	file  string // "" for none
	text  string
	env   map[string]bool // keys set by the environment
}

func (l *loader) readFile() error {
	l.file, _ = l.flags.GetString("config")
	if l.file == "" {
		l.file = search()
	}
	if l.file == "" {
		return nil
	}
	text, err := os.ReadFile(l.file)
	if err != nil {
		return &Error{From: l.file, Err: errors.New("cannot read the settings: " + reason(err))}
	}
	l.text = string(text)
	l.v.SetConfigType("yaml")
	if err := l.v.ReadConfig(strings.NewReader(l.text)); err != nil {
		msg := err.Error()
		var parse viper.ConfigParseError
		if errors.As(err, &parse) {
			msg = parse.Unwrap().Error()
		}
		return &Error{From: l.file, Err: errors.New(strings.TrimPrefix(msg, "yaml: "))}
	}
	known := map[string]bool{}
	for _, s := range settings() {
		known[s.key] = true
	}
	var unknown []string
	for _, key := range l.v.AllKeys() {
		if !known[key] {
			unknown = append(unknown, key)
		}
	}
	sort.Strings(unknown)
	for _, key := range unknown {
		return &Error{From: l.place(key), Err: fmt.Errorf("unknown key %q", key), Advice: advice(key)}
	}
	return nil
}

func reason(err error) string {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err.Error()
	}
	return err.Error()
}

// readEnv takes LAB_* and refuses those that mean nothing: a mistyped name
// must not pass in silence.
func (l *loader) readEnv(environ []string) error {
	l.env = map[string]bool{}
	byName := map[string]string{}
	for _, s := range settings() {
		byName[envName(s.key)] = s.key
	}
	sort.Strings(environ)
	for _, kv := range environ {
		name, value, _ := strings.Cut(kv, "=")
		if !strings.HasPrefix(name, "LAB_") {
			continue
		}
		key, ok := byName[name]
		if !ok {
			return &Error{From: "environment " + name, Err: fmt.Errorf("unknown setting %q", name), Advice: advice(strings.ToLower(strings.TrimPrefix(name, "LAB_")))}
		}
		if l.flags.Lookup(flagName(key)).Changed {
			continue // a flag wins
		}
		l.env[key] = true
		l.v.Set(key, typed(key, value))
	}
	return nil
}

// typed gives the environment's text the type of the setting; text that cannot
// have it stays text and is refused with all other wrong types.
func typed(key, text string) any {
	for _, s := range settings() {
		if s.key != key {
			continue
		}
		switch s.value.(type) {
		case int:
			if n, err := strconv.Atoi(text); err == nil {
				return n
			}
		case bool:
			if b, err := strconv.ParseBool(text); err == nil {
				return b
			}
		}
	}
	return text
}

func advice(key string) string {
	var keys []string
	for _, s := range settings() {
		keys = append(keys, s.key)
	}
	if near := suggest.Nearest(key, append([]string{}, keys...)); near != "" {
		return fmt.Sprintf("did you mean %q?", near)
	}
	return "the keys are " + strings.Join(keys, ", ")
}

// from says where the value of a key was set.
func (l *loader) from(key string) string {
	switch {
	case l.flags.Lookup(flagName(key)).Changed:
		return "flag --" + flagName(key)
	case l.env[key]:
		return "environment " + envName(key)
	case l.v.InConfig(key):
		return l.place(key)
	}
	return "default"
}

// place is file:line:column of a top-level key.
func (l *loader) place(key string) string {
	for n, line := range strings.Split(l.text, "\n") {
		name, _, ok := strings.Cut(line, ":")
		if ok && strings.EqualFold(strings.Trim(strings.TrimSpace(name), `"'`), strings.Split(key, ".")[0]) {
			return fmt.Sprintf("%s:%d:1", l.file, n+1)
		}
	}
	return l.file
}

// explain turns mapstructure's error into one with the place and what was wanted.
func (l *loader) explain(err error) error {
	msg := err.Error()
	for _, s := range settings() {
		if !strings.Contains(msg, "'"+s.key+"'") {
			continue
		}
		want := "a string"
		switch s.value.(type) {
		case int:
			want = "an integer"
		case bool:
			want = "true or false"
		}
		e := &Error{From: l.from(s.key), Err: fmt.Errorf("%s: want %s, got %q", s.key, want, fmt.Sprint(l.v.Get(s.key)))}
		if want == "a string" {
			e.Advice = "put it in quotes: YAML reads 5.10 as the number 5.1"
		}
		return e
	}
	return &Error{From: l.file, Err: err}
}

func (l *loader) check(c *Config) error {
	bad := func(key, format string, args ...any) error {
		return &Error{From: l.from(key), Err: fmt.Errorf(key+": "+format, args...)}
	}
	// A tree is of any series; which one is seen when it is looked at.
	if _, err := kernels.Load(c.Kernel); err != nil && c.KernelSource == "" {
		return bad("kernel", "%w", err)
	}
	if err := toolchain.CheckVersion(c.Go); err != nil {
		return bad("go", "%w", err)
	}
	switch {
	case c.CPUs < 1 || c.CPUs > matrix.MaxVCPUs:
		return bad("cpus", "want 1 to %d, got %d", matrix.MaxVCPUs, c.CPUs)
	case c.Memory < matrix.MinMemory || c.Memory > matrix.MaxMemory:
		return bad("memory", "want %d to %d MiB, got %d", matrix.MinMemory, matrix.MaxMemory, c.Memory)
	case c.Jobs < 0:
		return bad("jobs", "want 0 or more, got %d", c.Jobs)
	case c.QEMU == "" || c.CPU == "" || c.Runs == "":
		return bad("qemu", "qemu, cpu and runs must not be empty")
	}
	return nil
}

// resolve makes paths absolute: those of the file are relative to the file,
// the others to the current folder.
func (l *loader) resolve(c *Config) error {
	if c.Jobs == 0 {
		c.Jobs = runtime.NumCPU()
	}
	if c.Cache == "" {
		dir, err := os.UserCacheDir()
		if err != nil {
			return &Error{From: "default", Err: fmt.Errorf("cache: %w", err), Advice: "name a folder with --cache"}
		}
		c.Cache = filepath.Join(dir, "ghostlab")
	}
	for key, path := range map[string]*string{"cache": &c.Cache, "runs": &c.Runs, "scenarios": &c.Scenarios, "kernel_source": &c.KernelSource} {
		if *path == "" || filepath.IsAbs(*path) {
			continue
		}
		from := l.from(key)
		if l.file != "" && (strings.HasPrefix(from, l.file) || from == "default") {
			*path = filepath.Join(filepath.Dir(l.file), *path)
		}
		abs, err := filepath.Abs(*path)
		if err != nil {
			return err
		}
		*path = abs
	}
	// What `lab config` prints is what holds.
	for key, value := range map[string]any{"cache": c.Cache, "runs": c.Runs, "scenarios": c.Scenarios, "kernel_source": c.KernelSource, "jobs": c.Jobs} {
		l.v.Set(key, value)
	}
	if c.KernelSource != "" && !l.flags.Lookup("kernel").Changed && !l.env["kernel"] {
		c.Kernel = ""
	}
	return nil
}
