package kernels

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"

	"ghostlab/lab/store"
)

// Found is what Ensure would return a kernel from.
type Found struct {
	// Asked and Ran are series; they differ for a stand-in.
	Asked, Ran string
	// Source is a tree, a tarball, a package or a URL.
	Source string
	// Built says that the kernel is in the store: Ensure returns it at once.
	Built bool
	// Why says, for a stand-in, what is wrong with each source of the series.
	Why string
}

// String says where the kernel comes from.
func (f *Found) String() string {
	words := f.Source
	if f.Built {
		words += ", in the cache"
	}
	if f.Asked != f.Ran {
		words = fmt.Sprintf("stand-in %s from %s", f.Ran, words)
	}
	return words
}

// Locate says where Ensure would take the kernel from, without building it or
// fetching more than a server's answer. A *NoSourceError says that it cannot be had.
func Locate(ctx context.Context, st *store.Store, opt Options) (*Found, error) {
	b := &builder{Options: opt, Store: st}
	if opt.Source != "" {
		path, err := filepath.Abs(opt.Source)
		if err != nil {
			return nil, err
		}
		o, err := local(ctx, st, path)
		if err != nil {
			return nil, err
		}
		s, err := LoadOrBorrow(seriesOf(o.version))
		if err != nil {
			return nil, err
		}
		o.name = fmt.Sprintf("Linux %s in %s", o.version, path)
		if s.Lender != "" {
			o.name += ", patched and configured as " + s.Lender
		}
		return b.found(s, o)
	}
	s, err := Load(opt.Series)
	if err != nil {
		return nil, err
	}
	none := &NoSourceError{Series: s.Series}
	if f, err := b.locate(ctx, s, none, len(s.StandIns) > 0 && opt.StandIn); f != nil || err != nil {
		return f, err
	}
	why := strings.Join(none.Reasons, "; ")
	if !opt.StandIn {
		none.StandIns = s.StandIns
		return nil, none
	}
	for _, name := range s.StandIns {
		instead, err := Load(name)
		if err != nil {
			return nil, err
		}
		f, err := b.locate(ctx, instead, none, true)
		if f != nil {
			f.Asked, f.Why = s.Series, why
		}
		if f != nil || err != nil {
			return f, err
		}
	}
	return nil, none
}

// locate returns the first source that can be had, or nil, and adds why none
// can. With a spare it believes what a server did a moment ago.
func (b *builder) locate(ctx context.Context, s *Series, none *NoSourceError, spare bool) (*Found, error) {
	for _, src := range s.Sources {
		if src.Package != "" {
			o, err := installed(ctx, b.Store, src)
			if err == nil {
				return b.found(s, o)
			}
			none.Reasons = append(none.Reasons, err.Error())
			continue
		}
		f, err := b.found(s, archive(b.Store, src, nil, nil))
		if err != nil || f.Built {
			return f, err
		}
		err = recentMiss(b.Store, src)
		if err == nil || !spare || b.Retry {
			err = answers(ctx, src.Archive)
		}
		if err == nil {
			return f, nil
		}
		none.Reasons = append(none.Reasons, err.Error())
	}
	return nil, nil
}

func (b *builder) found(s *Series, o *origin) (*Found, error) {
	key, err := b.key(s, o.digest)
	return &Found{Asked: s.Series, Ran: s.Series, Source: o.name, Built: err == nil && b.Store.Has("kernels", key)}, err
}

func answers(ctx context.Context, url string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodHead, url, nil)
	if err != nil {
		return err
	}
	resp, err := webClient().Do(req)
	if err != nil {
		return err
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return errors.New(url + ": " + resp.Status)
	}
	return nil
}
