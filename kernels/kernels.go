package kernels

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"ghostlab/lab/progress"
	"ghostlab/lab/store"
)

// Options say which kernel is wanted and how it may be had.
type Options struct {
	// Series is the one asked for, such as "5.15". With Source it may be
	// empty: the tree's own series is then the one asked for.
	Series string
	// Source is a kernel tree or a tarball of the researcher's; empty means
	// that the series' own sources are tried.
	Source string
	// StandIn allows the series' stand-in where its sources cannot be had.
	StandIn bool
	// CrossCompile is the prefix of the arm64 compiler, such as
	// "aarch64-linux-gnu-"; empty on an arm64 host.
	CrossCompile string
	// Jobs is make's -j. Zero means 1.
	Jobs int
	// Retry asks servers again that could not be reached a moment ago.
	Retry bool
}

// Kernel is a built kernel.
type Kernel struct {
	// Asked and Ran are series. They differ for a stand-in only.
	Asked, Ran string
	StandIn    bool
	// Why says, for a stand-in, what was wrong with each source of the series.
	Why string
	// Tree is the researcher's tree or tarball; empty for the series' own sources.
	Tree string
	// Dir holds Image, vmlinux, config, the gdb scripts and src.
	Dir      string
	Manifest Manifest
}

// Image is the path of the bootable kernel.
func (k *Kernel) Image() string { return filepath.Join(k.Dir, "Image") }

// Vmlinux is the path of the kernel with symbols and debug information.
func (k *Kernel) Vmlinux() string { return filepath.Join(k.Dir, "vmlinux") }

// Sources is the folder that buildRoot in the debug information stands for.
func (k *Kernel) Sources() (prefix, dir string) { return buildRoot, filepath.Join(k.Dir, "src") }

// String says what was asked and what ran.
func (k *Kernel) String() string {
	if k.StandIn {
		return fmt.Sprintf("asked %s, ran %s (stand-in)", k.Asked, k.Manifest.Version)
	}
	return k.Manifest.Version
}

// Ensure returns a kernel, from the store or built now.
func Ensure(ctx context.Context, st *store.Store, opt Options, out *progress.Output) (*Kernel, error) {
	opt.Jobs = max(opt.Jobs, 1)
	b := &builder{Options: opt, Store: st, Progress: out}
	if opt.Source != "" {
		return b.fromTree(ctx)
	}
	s, err := Load(opt.Series)
	if err != nil {
		return nil, err
	}
	k, err := b.fromSeries(ctx, s, len(s.StandIns) > 0 && opt.StandIn)
	var none *NoSourceError
	if !errors.As(err, &none) {
		return k, err
	}
	if !opt.StandIn {
		none.StandIns = s.StandIns
		return nil, none
	}
	why := strings.Join(none.Reasons, "; ")
	for _, name := range s.StandIns {
		instead, err := Load(name)
		if err != nil {
			return nil, err
		}
		k, err := b.fromSeries(ctx, instead, true)
		var alsoNone *NoSourceError
		if errors.As(err, &alsoNone) {
			none.Reasons = append(none.Reasons, alsoNone.Reasons...)
			continue
		}
		if err != nil {
			return nil, err
		}
		k.Asked, k.StandIn, k.Why = s.Series, true, why
		return k, nil
	}
	return nil, none
}

func (b *builder) fromTree(ctx context.Context) (*Kernel, error) {
	path, err := filepath.Abs(b.Source)
	if err != nil {
		return nil, err
	}
	o, err := local(ctx, b.Store, path)
	if err != nil {
		return nil, err
	}
	series := seriesOf(o.version)
	s, err := LoadOrBorrow(series)
	if err != nil {
		return nil, err
	}
	if b.Series != "" && b.Series != series {
		return nil, &SourceError{Path: path, Err: fmt.Errorf("it is Linux %s, but series %s was asked for", o.version, b.Series)}
	}
	k, err := b.ensure(ctx, s, o)
	if err == nil {
		k.Tree = path
	}
	return k, err
}

// fromSeries tries the series' sources in order. When the caller has a
// stand-in, servers that failed a moment ago are not asked again.
func (b *builder) fromSeries(ctx context.Context, s *Series, spare bool) (*Kernel, error) {
	none := &NoSourceError{Series: s.Series}
	client := webClient()
	for _, src := range s.Sources {
		k, err := b.try(ctx, s, src, client, spare)
		if err == nil || ctx.Err() != nil {
			return k, err
		}
		var unavailable *unavailableError
		if !errors.As(err, &unavailable) {
			return nil, err
		}
		none.Reasons = append(none.Reasons, unavailable.Error())
	}
	return nil, none
}

// unavailableError marks the failures after which another source is tried.
type unavailableError struct{ error }

func (e *unavailableError) Unwrap() error { return e.error }

func (b *builder) try(ctx context.Context, s *Series, src Source, client *http.Client, spare bool) (*Kernel, error) {
	if src.Package != "" {
		o, err := installed(ctx, b.Store, src)
		if err != nil {
			return nil, &unavailableError{err}
		}
		return b.ensure(ctx, s, o)
	}
	o := archive(b.Store, src, client, b.Progress)
	key, err := b.key(s, o.digest)
	if err != nil {
		return nil, err
	}
	if !b.Store.Has("kernels", key) {
		if miss := recentMiss(b.Store, src); miss != nil && spare && !b.Retry {
			return nil, &unavailableError{miss}
		}
		if _, err := o.fetch(ctx); err != nil {
			var sum *ChecksumError
			var space *store.SpaceError
			if errors.As(err, &sum) || errors.As(err, &space) {
				return nil, err // not for another source to paper over
			}
			return nil, &unavailableError{err}
		}
	}
	return b.ensure(ctx, s, o)
}

func (b *builder) ensure(ctx context.Context, s *Series, o *origin) (*Kernel, error) {
	key, err := b.key(s, o.digest)
	if err != nil {
		return nil, err
	}
	dir, err := b.Store.Ensure(ctx, "kernels", key, func(ctx context.Context, staging string) error {
		return b.build(ctx, s, o, staging)
	})
	if err != nil {
		return nil, err
	}
	k, err := Open(dir)
	if err != nil {
		return nil, err
	}
	k.Asked, k.Ran = s.Series, s.Series
	return k, nil
}

// Open returns the kernel in an artefact's folder. What was asked for is not
// known there.
func Open(dir string) (*Kernel, error) {
	k := &Kernel{Dir: dir}
	text, err := os.ReadFile(filepath.Join(dir, "manifest.json"))
	if err != nil {
		return nil, err
	}
	return k, json.Unmarshal(text, &k.Manifest)
}

func readDefinition(s *Series, name string) (string, error) {
	text, err := fs.ReadFile(s.files, name)
	if err != nil {
		return "", fmt.Errorf("series %s: %w", s.Series, err)
	}
	return string(text), nil
}

// NoSourceError says that none of a series' sources can be had.
type NoSourceError struct {
	Series  string
	Reasons []string // one for each source
	// StandIns are the series that could have stood in, had that been allowed.
	StandIns []string
}

func (e *NoSourceError) Error() string {
	return fmt.Sprintf("kernel %s: none of its sources can be had:\n  %s", e.Series, strings.Join(e.Reasons, "\n  "))
}

// Hint says what to do about it.
func (e *NoSourceError) Hint() string {
	h := "name a tree or a tarball with --kernel-source"
	if len(e.StandIns) > 0 {
		h += fmt.Sprintf(", or allow a stand-in (%s) with --stand-in", strings.Join(e.StandIns, ", "))
	}
	return h
}
