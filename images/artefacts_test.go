package images

import (
	"errors"
	"io/fs"
	"strings"
	"testing"

	"ghostlab/lab/store"
)

// A manifest from elsewhere names nothing outside the store's own folders.
func TestManifestsStayInTheStore(t *testing.T) {
	st, err := store.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	const key = "0123456789abcdef01234567"
	for _, c := range []struct{ kernel, want string }{
		{"kernels/" + key, ""},
		{"", ""},
		{"../../../elsewhere", "want kernels/ and a key"},
		{"kernels/../" + key, "want kernels/ and a key"},
		{"/kernels/" + key, "want kernels/ and a key"},
		{"kernels/" + key + "/..", "want kernels/ and a key"},
		{"programs/" + key, "want kernels/ and a key"},
		{"kernels/" + key + "\n", "want kernels/ and a key"},
	} {
		_, err := Open(st, Manifest{Artefacts: Artefacts{Kernel: c.kernel, Initramfs: "initramfs/" + key, Program: "programs/" + key}})
		if c.want == "" && !errors.Is(err, fs.ErrNotExist) || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%q: got %v, want %q", c.kernel, err, c.want)
		}
	}
}
