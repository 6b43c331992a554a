package kernels

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"

	"ghostlab/lab/store"
)

// Locate says where Ensure would take the kernel from, without building it or
// fetching more than a server's answer. A *NoSourceError says that it cannot be had.
func Locate(ctx context.Context, st *store.Store, opt Options) (string, error) {
	b := &builder{Options: opt, Store: st}
	if opt.Source != "" {
		path, err := filepath.Abs(opt.Source)
		if err != nil {
			return "", err
		}
		v, err := versionOf(ctx, st, path)
		if err != nil {
			return "", err
		}
		_, err = Load(seriesOf(v))
		return fmt.Sprintf("Linux %s in %s", v, path), err
	}
	s, err := Load(opt.Series)
	if err != nil {
		return "", err
	}
	none := &NoSourceError{Series: s.Series}
	if where := b.locate(ctx, s, none); where != "" {
		return where, nil
	}
	if !opt.StandIn {
		none.StandIns = s.StandIns
		return "", none
	}
	for _, name := range s.StandIns {
		instead, err := Load(name)
		if err != nil {
			return "", err
		}
		if where := b.locate(ctx, instead, none); where != "" {
			return fmt.Sprintf("stand-in %s from %s", name, where), nil
		}
	}
	return "", none
}

// locate returns the first source that can be had, or adds why none can.
func (b *builder) locate(ctx context.Context, s *Series, none *NoSourceError) string {
	for _, src := range s.Sources {
		if src.Package != "" {
			o, err := installed(ctx, b.Store, src)
			if err == nil {
				return o.name
			}
			none.Reasons = append(none.Reasons, err.Error())
			continue
		}
		o := archive(b.Store, src, nil, nil)
		if key, err := b.key(s, o.digest); err == nil && b.Store.Has("kernels", key) {
			return "the cache"
		}
		if err := answers(ctx, src.Archive); err != nil {
			none.Reasons = append(none.Reasons, err.Error())
			continue
		}
		return src.Archive
	}
	return ""
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
