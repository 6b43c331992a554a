package kernels

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"ghostlab/lab/progress"
	"ghostlab/lab/store"
)

// origin is a source that can be had: its digest is known before its bytes are.
type origin struct {
	name    string // for people: a URL, a path
	version string // "5.15.202"; empty until the bytes are there
	digest  string
	// fetch returns the path of the tree or tarball, and brings it first
	// where need be.
	fetch func(ctx context.Context) (string, error)
}

// local is the origin of a tree or a tarball on this host.
func local(ctx context.Context, st *store.Store, path string) (*origin, error) {
	v, err := versionOf(ctx, st, path)
	if err != nil {
		return nil, err
	}
	sum, err := digest(ctx, st, path)
	if err != nil {
		return nil, err
	}
	return &origin{name: path, version: v, digest: sum, fetch: func(context.Context) (string, error) { return path, nil }}, nil
}

// installed is the origin of a distribution's package.
func installed(ctx context.Context, st *store.Store, src Source) (*origin, error) {
	for _, pattern := range src.Files {
		paths, err := filepath.Glob(pattern)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", pattern, err)
		}
		for _, p := range paths {
			o, err := local(ctx, st, p)
			if err == nil {
				o.name = fmt.Sprintf("package %s (%s)", src.Package, p)
			}
			return o, err
		}
	}
	return nil, fmt.Errorf("package %s is not installed (no %s)", src.Package, strings.Join(src.Files, ", "))
}

// archive is the origin of a download.
func archive(st *store.Store, src Source, client *http.Client, out *progress.Output) *origin {
	h := store.NewHasher("archive 1")
	h.Add("sha256", src.SHA256)
	dir := st.Path("archives", h.Key())
	path := filepath.Join(dir, filepath.Base(src.Archive))
	return &origin{name: src.Archive, digest: src.SHA256, fetch: func(ctx context.Context) (string, error) {
		unlock, err := st.Lock(ctx, "archives", h.Key())
		if err != nil {
			return "", err
		}
		defer unlock()
		if _, err := os.Stat(path); err == nil {
			return path, nil
		}
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return "", err
		}
		err = download(ctx, client, src.Archive, src.SHA256, path, out)
		if err != nil {
			var sum *ChecksumError
			if !errors.As(err, &sum) && ctx.Err() == nil {
				rememberMiss(dir, err)
			}
			return "", err
		}
		os.Remove(missFile(dir))
		return path, nil
	}}
}

// missFor is how long a server that could not be reached is not asked again by
// a command that can do without: a stand-in shall not pay for the attempt each time.
const missFor = time.Hour

func missFile(dir string) string { return filepath.Join(dir, "unreachable") }

func rememberMiss(dir string, err error) {
	os.WriteFile(missFile(dir), []byte(err.Error()), 0o644)
}

// recentMiss returns the error of an attempt less than missFor ago.
func recentMiss(st *store.Store, src Source) error {
	h := store.NewHasher("archive 1")
	h.Add("sha256", src.SHA256)
	file := missFile(st.Path("archives", h.Key()))
	info, err := os.Stat(file)
	if err != nil || time.Since(info.ModTime()) > missFor {
		return nil
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return nil
	}
	return fmt.Errorf("%s (tried at %s, again after %s)", b,
		info.ModTime().Format("15:04"), info.ModTime().Add(missFor).Format("15:04"))
}
