package kernels

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// option is one requested line of a config fragment.
type option struct {
	name  string // with CONFIG_
	value string // "n" for "is not set"
	place string // file:line
}

// parseConfig reads the syntax of .config and of fragments.
func parseConfig(file string, text []byte) ([]option, error) {
	var opts []option
	sc := bufio.NewScanner(bytes.NewReader(text))
	for n := 1; sc.Scan(); n++ {
		line := strings.TrimSpace(sc.Text())
		place := fmt.Sprintf("%s:%d", file, n)
		if name, ok := strings.CutSuffix(line, " is not set"); ok && strings.HasPrefix(name, "# CONFIG_") {
			opts = append(opts, option{strings.TrimPrefix(name, "# "), "n", place})
			continue
		}
		if line == "" || line[0] == '#' {
			continue
		}
		name, value, ok := strings.Cut(line, "=")
		if !ok || !strings.HasPrefix(name, "CONFIG_") || value == "" {
			return nil, fmt.Errorf("%s: want CONFIG_NAME=value, got %q", place, line)
		}
		opts = append(opts, option{name, value, place})
	}
	return opts, sc.Err()
}

// configure merges the fragments over allnoconfig with the kernel's own
// merge_config.sh and verifies that every requested option is as requested. What
// a kernel with borrowed fragments does not know at all is returned.
func configure(ctx context.Context, s *Series, dir string, mk *maker) (lacks []Dropped, err error) {
	args := []string{"-n", "-O", ".", "-m"}
	var want []option
	for _, name := range s.Config {
		text, err := fs.ReadFile(s.files, name)
		if err != nil {
			return nil, err
		}
		opts, err := parseConfig("kernels/"+name, text)
		if err != nil {
			return nil, err
		}
		want = append(want, opts...)
		fragment := filepath.Join(dir, ".lab-"+filepath.Base(name))
		if err := os.WriteFile(fragment, text, 0o644); err != nil {
			return nil, err
		}
		defer os.Remove(fragment)
		args = append(args, filepath.Base(fragment))
	}
	if err := mk.run(ctx, append([]string{"scripts/kconfig/merge_config.sh"}, args...), nil); err != nil {
		return nil, fmt.Errorf("merge config: %w", err)
	}
	merged := filepath.Join(dir, ".lab-merged")
	if err := os.Rename(filepath.Join(dir, ".config"), merged); err != nil {
		return nil, err
	}
	defer os.Remove(merged)
	if err := mk.make(ctx, nil, "KCONFIG_ALLCONFIG=.lab-merged", "allnoconfig"); err != nil {
		return nil, fmt.Errorf("configure: %w", err)
	}
	return verify(dir, want, s.Lender != "")
}

// verify compares .config with what was requested. The last request for an
// option counts. What the kernel has no option for is returned where the requests
// are borrowed, and an error else.
func verify(dir string, want []option, borrowed bool) (lacks []Dropped, err error) {
	text, err := os.ReadFile(filepath.Join(dir, ".config"))
	if err != nil {
		return nil, err
	}
	have, err := parseConfig(".config", text)
	if err != nil {
		return nil, err
	}
	values := map[string]string{}
	for _, o := range have {
		values[o.name] = o.value
	}
	last := map[string]option{}
	for _, o := range want {
		last[o.name] = o
	}
	var dropped []Dropped
	var k *kconfig
	for _, o := range want {
		got := values[o.name]
		if got == "" {
			got = "n"
		}
		if last[o.name] != o || got == o.value {
			continue
		}
		if k == nil {
			k = readKconfig(dir)
		}
		d := Dropped{o.name, o.value, got, o.place, k.unmet(o.name, values)}
		if borrowed && !k.knows(o.name) {
			lacks = append(lacks, d)
		} else {
			dropped = append(dropped, d)
		}
	}
	if dropped != nil {
		return nil, &ConfigError{dropped}
	}
	return lacks, nil
}

// Dropped is a requested option that the kernel's configuration did not accept.
type Dropped struct {
	Name, Want, Got string
	Place           string // file:line of the request
	Reason          string // the unmet dependency
}

// ConfigError lists the requested options that are not as requested.
type ConfigError struct{ Dropped []Dropped }

func (e *ConfigError) Error() string {
	var b strings.Builder
	for i, d := range e.Dropped {
		if i > 0 {
			b.WriteByte('\n')
		}
		fmt.Fprintf(&b, "%s: %s=%s was dropped, it is %s: %s", d.Place, d.Name, d.Want, d.Got, d.Reason)
	}
	return b.String()
}

// BadInput marks what the user can mend, see usage.IsBadInput.
func (*ConfigError) BadInput() {}

// Hint says what to do about it.
func (e *ConfigError) Hint() string {
	return "request what it depends on in a fragment of kernels/config, or drop the request"
}
