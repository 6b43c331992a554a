// Package kernels turns kernel sources into bootable arm64 kernels. It owns the
// definitions beside it (one YAML file a series, config fragments, patches), the
// ways to get sources, and the build. It knows nothing of guests or trials.
package kernels

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"sort"
	"strings"

	"github.com/goccy/go-yaml"
)

//go:embed *.yaml config/*.config patches/*.patch
var definitions embed.FS

// Series is the definition of a kernel series, such as 5.15.
type Series struct {
	Series string `yaml:"series"`
	// Sources are tried in order.
	Sources []Source `yaml:"sources"`
	// StandIns are the series to build, the first that can be had, where no
	// source of this one can.
	StandIns []string `yaml:"stand_ins"`
	// Patches and Config name files beside the definition, in order.
	Patches []string `yaml:"patches"`
	Config  []string `yaml:"config"`

	// Lender is the series that patches and fragments are of, where this one has
	// no definition of its own.
	Lender string `yaml:"-"`

	files fs.FS
}

// Source is one place to get a series' sources from: an archive or a package.
type Source struct {
	// Archive is a URL, SHA256 the digest of what it gives, in hexadecimal.
	Archive string `yaml:"archive"`
	SHA256  string `yaml:"sha256"`
	// Package is the name of a distribution's package, Files the glob patterns
	// of where it puts the sources: a tarball or a tree.
	Package string   `yaml:"package"`
	Files   []string `yaml:"files"`
}

func (s Source) String() string {
	if s.Archive != "" {
		return s.Archive
	}
	return "package " + s.Package
}

// Load returns the definition of a series. An unknown one is an
// *UnknownSeriesError.
func Load(series string) (*Series, error) { return loadFrom(definitions, series) }

// LoadOrBorrow returns the definition of a series, or for one that has none that
// of the newest series before it, or else of the oldest there is: between two
// series the kernel rather gains options than it loses them.
func LoadOrBorrow(series string) (*Series, error) { return borrowFrom(definitions, series) }

func borrowFrom(files fs.FS, series string) (*Series, error) {
	s, err := loadFrom(files, series)
	var unknown *UnknownSeriesError
	if !errors.As(err, &unknown) || len(unknown.Known) == 0 {
		return s, err
	}
	lender := unknown.Known[0]
	for _, k := range unknown.Known {
		if less(k, series) {
			lender = k
		}
	}
	if s, err = loadFrom(files, lender); err != nil {
		return nil, err
	}
	s.Series, s.Lender, s.Sources, s.StandIns = series, lender, nil, nil
	return s, nil
}

func loadFrom(files fs.FS, series string) (*Series, error) {
	name := series + ".yaml"
	b, err := fs.ReadFile(files, name)
	if err != nil {
		return nil, &UnknownSeriesError{Series: series, Known: known(files)}
	}
	s := &Series{files: files}
	if err := yaml.UnmarshalWithOptions(b, s, yaml.Strict()); err != nil {
		return nil, fmt.Errorf("kernels/%s: %w", name, err)
	}
	if s.Series != series {
		return nil, fmt.Errorf("kernels/%s: want series %q, got %q", name, series, s.Series)
	}
	for _, src := range s.Sources {
		switch {
		case (src.Archive == "") == (src.Package == ""):
			return nil, fmt.Errorf("kernels/%s: a source is an archive or a package", name)
		case src.Archive != "" && len(src.SHA256) != 64:
			return nil, fmt.Errorf("kernels/%s: %s: want a sha256 of 64 digits", name, src)
		}
	}
	return s, nil
}

// Known returns the names of all series, in order.
func Known() []string { return known(definitions) }

func known(files fs.FS) []string {
	names, _ := fs.Glob(files, "*.yaml")
	for i, n := range names {
		names[i] = strings.TrimSuffix(n, ".yaml")
	}
	sort.Slice(names, func(i, j int) bool { return less(names[i], names[j]) })
	return names
}

// less orders series as numbers: 5.15 before 6.1 before 6.12.
func less(a, b string) bool {
	var a1, a2, b1, b2 int
	fmt.Sscanf(a, "%d.%d", &a1, &a2)
	fmt.Sscanf(b, "%d.%d", &b1, &b2)
	return a1 < b1 || a1 == b1 && a2 < b2
}

// UnknownSeriesError names a series that has no definition.
type UnknownSeriesError struct {
	Series string
	Known  []string
}

func (e *UnknownSeriesError) Error() string {
	return fmt.Sprintf("kernel series %q: want one of %s", e.Series, strings.Join(e.Known, ", "))
}

// BadInput marks what the user can mend, see usage.IsBadInput.
func (*UnknownSeriesError) BadInput() {}

// Hint says what to do about it.
func (e *UnknownSeriesError) Hint() string {
	return "a tree or a tarball of any series can be named with --kernel-source"
}
