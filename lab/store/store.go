// Package store is the lab's cache of artefacts that are a function of their
// inputs: kernels, archives, init. It owns the folder, the keys and the locks;
// what an artefact is belongs to the package that makes it.
package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"

	"github.com/gofrs/flock"
)

// Store is a cache folder. Make one with Open.
type Store struct {
	dir string
	// ReadOnly is set for those who only look: nothing is to be made.
	ReadOnly bool
	// Waiting, when set, is told that another process is making the artefact
	// this one needs.
	Waiting func(kind string)
}

// Open returns the store in dir, which need not exist.
func Open(dir string) (*Store, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("open cache: %w", err)
	}
	return &Store{dir: dir}, nil
}

// Look returns the store in dir, which need not exist, for those who only look.
func Look(dir string) *Store { return &Store{dir: dir, ReadOnly: true} }

// Dir is the store's folder.
func (s *Store) Dir() string { return s.dir }

// Relative is the name of an artefact's folder within the store, with slashes.
func (s *Store) Relative(path string) string {
	return filepath.ToSlash(strings.TrimPrefix(path, s.dir+string(filepath.Separator)))
}

// Path is where the artefact of this kind and key is, or would be.
func (s *Store) Path(kind string, key Key) string {
	return filepath.Join(s.dir, kind, key.short())
}

// Has says whether the artefact is there.
func (s *Store) Has(kind string, key Key) bool {
	_, err := os.Stat(s.Path(kind, key))
	return err == nil
}

// Ensure returns the folder of an artefact and calls build to make it when it
// is not there yet. Build fills an empty staging folder, which becomes the
// artefact when build returns nil and is removed otherwise; what a killed
// process has left is removed by the next. Of several processes that want the
// same artefact one builds and the others wait.
func (s *Store) Ensure(ctx context.Context, kind string, key Key, build func(ctx context.Context, staging string) error) (string, error) {
	path := s.Path(kind, key)
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	if s.ReadOnly {
		return "", fmt.Errorf("%s is not in the cache, and is not to be made", kind)
	}
	unlock, err := s.lock(ctx, kind, path+".lock")
	if err != nil {
		return "", err
	}
	defer unlock()
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	staging := path + ".partial"
	if err := os.RemoveAll(staging); err != nil {
		return "", err
	}
	if err := os.Mkdir(staging, 0o755); err != nil {
		return "", err
	}
	if err := build(ctx, staging); err != nil {
		os.RemoveAll(staging)
		return "", err
	}
	if err := syncTree(staging); err != nil {
		os.RemoveAll(staging)
		return "", err
	}
	if err := os.Rename(staging, path); err != nil {
		return "", err
	}
	return path, syncFile(filepath.Dir(path))
}

// Lock takes the lock of this kind and key, for artefacts that grow in place
// such as a download that can be resumed. Call the result to release it.
func (s *Store) Lock(ctx context.Context, kind string, key Key) (func(), error) {
	return s.lock(ctx, kind, s.Path(kind, key)+".lock")
}

func (s *Store) lock(ctx context.Context, kind, path string) (func(), error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, err
	}
	l := flock.New(path)
	ok, err := l.TryLock()
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	if !ok {
		if s.Waiting != nil {
			s.Waiting(kind)
		}
		if _, err := l.TryLockContext(ctx, 100*time.Millisecond); err != nil {
			return nil, fmt.Errorf("wait for %s: %w", path, err)
		}
	}
	return func() { l.Unlock() }, nil
}

// syncTree makes sure that a rename never shows an artefact whose files, or whose
// files' names, a power failure could still take away.
func syncTree(dir string) error {
	return filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() && !d.IsDir() {
			return err
		}
		return syncFile(path)
	})
}

// syncFile makes a file's content, or the names in a folder, last.
func syncFile(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	err = f.Sync()
	if errors.Is(err, syscall.EINVAL) {
		err = nil // a file system that does that for folders by itself, see fsync(2)
	}
	return errors.Join(err, f.Close())
}

// Key identifies an artefact by the digest of its inputs.
type Key [sha256.Size]byte

// String is the whole digest in hexadecimal.
func (k Key) String() string { return hex.EncodeToString(k[:]) }

// keyName is the form of what short returns.
var keyName = regexp.MustCompile(`^[0-9a-f]{24}$`)

// Names says whether folder is what Relative can return for an artefact of that kind.
func Names(kind, folder string) bool {
	key, ok := strings.CutPrefix(folder, kind+"/")
	return ok && keyName.MatchString(key)
}

// short is enough of the digest for a folder name that people can read.
func (k Key) short() string { return k.String()[:24] }

// Hasher collects an artefact's inputs. Make one with NewHasher.
type Hasher struct{ h hash.Hash }

// NewHasher starts a key. The recipe names the way the artefact is made, and
// its version: change it when the same inputs shall give another artefact.
func NewHasher(recipe string) *Hasher {
	h := &Hasher{sha256.New()}
	h.Add("recipe", recipe)
	return h
}

// Add adds a named input.
func (h *Hasher) Add(name, value string) {
	fmt.Fprintf(h.h, "%d:%s%d:%s", len(name), name, len(value), value)
}

// AddFile adds a file's content under a name.
func (h *Hasher) AddFile(name, path string) error {
	sum, err := FileSum(path)
	if err != nil {
		return err
	}
	h.Add(name, sum)
	return nil
}

// Key returns the key of all inputs added so far.
func (h *Hasher) Key() Key { return Key(h.h.Sum(nil)) }

// FileSum is the SHA-256 of a file's content, in hexadecimal.
func FileSum(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", fmt.Errorf("digest %s: %w", path, err)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
