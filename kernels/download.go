package kernels

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"ghostlab/lab/progress"
	"ghostlab/lab/store"
)

const (
	// connectTimeout is short: an offline host shall not wait to hear so.
	connectTimeout = 5 * time.Second
	// resumes is how often a broken transfer is taken up again.
	resumes = 5
)

// stallTimeout is how long a download may bring nothing. Only tests change it.
var stallTimeout = 30 * time.Second

// stalledError says that a server is there, and sends nothing. It is no interruption
// by the user.
type stalledError struct{ after time.Duration }

func (e *stalledError) Error() string { return fmt.Sprintf("nothing came for %v", e.after) }

// ChecksumError says that an archive is not what its definition promises.
type ChecksumError struct{ URL, Want, Got string }

func (e *ChecksumError) Error() string {
	return fmt.Sprintf("%s: sha256 is %s, want %s; the file was removed", e.URL, e.Got, e.Want)
}

// Hint says what to do about it.
func (e *ChecksumError) Hint() string {
	return "something between here and the server changed the archive; use --kernel-source with one you trust"
}

// download brings an address to path, continuing what an earlier try has left in
// path.partial, and checks its digest. The file appears only when it is right.
func download(ctx context.Context, client *http.Client, address, sha256, path string, out *progress.Output) error {
	partial := path + ".partial"
	var last error
	for try := range resumes {
		if try > 0 {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(time.Duration(try) * 200 * time.Millisecond):
			}
		}
		var final bool
		if final, last = transfer(ctx, client, address, partial, out); last == nil || final || ctx.Err() != nil {
			break
		}
	}
	if last != nil {
		return fmt.Errorf("download %s: %w", address, last)
	}
	got, err := store.FileSum(partial)
	if err != nil {
		return err
	}
	if got != sha256 {
		if err := os.Remove(partial); err != nil {
			return err
		}
		return &ChecksumError{URL: address, Want: sha256, Got: got}
	}
	return os.Rename(partial, path)
}

// transfer appends what is missing to partial. Final errors are those that
// another try would meet again.
func transfer(ctx context.Context, client *http.Client, address, partial string, out *progress.Output) (final bool, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	f, err := os.OpenFile(partial, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return true, err
	}
	defer f.Close()
	have, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return true, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return true, err
	}
	if have > 0 {
		req.Header.Set("Range", fmt.Sprintf("bytes=%d-", have))
	}
	resp, err := client.Do(req)
	if err != nil {
		var long *url.Error // repeats the address
		if errors.As(err, &long) {
			err = long.Err
		}
		var dial *net.OpError
		return errors.As(err, &dial) && dial.Op == "dial", err
	}
	defer resp.Body.Close()
	switch resp.StatusCode {
	case http.StatusPartialContent:
	case http.StatusOK: // from the beginning, whatever was asked for
		if err := f.Truncate(0); err != nil {
			return true, err
		}
		if have, err = f.Seek(0, io.SeekStart); err != nil {
			return true, err
		}
	case http.StatusRequestedRangeNotSatisfiable: // it is all here
		return false, nil
	default:
		return resp.StatusCode < 500, fmt.Errorf("the server answered %s", resp.Status)
	}
	total := int64(0)
	if resp.ContentLength > 0 {
		total = have + resp.ContentLength
		if err := store.NeedSpace(filepath.Dir(partial), resp.ContentLength); err != nil {
			return true, err
		}
	}
	task := out.Bytes("download "+filepath.Base(address), total)
	defer task.End()
	task.Set(have)
	stall := time.AfterFunc(stallTimeout, func() { cancel(&stalledError{stallTimeout}) })
	defer stall.Stop()
	buf := make([]byte, 256<<10)
	for {
		n, err := resp.Body.Read(buf)
		stall.Reset(stallTimeout)
		if _, err := f.Write(buf[:n]); err != nil {
			return true, err
		}
		task.Add(int64(n))
		if err == io.EOF {
			return false, nil
		}
		if err != nil {
			return false, cmp.Or(context.Cause(ctx), err)
		}
	}
}

// webClient follows the proxy settings of the environment, as git and curl do.
func webClient() *http.Client {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.DialContext = (&net.Dialer{Timeout: connectTimeout}).DialContext
	t.ResponseHeaderTimeout = stallTimeout
	return &http.Client{Transport: t}
}
