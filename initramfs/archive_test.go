package initramfs

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cavaliergopher/cpio"
)

// archive writes the same two files with other dates and in another folder.
func archive(t *testing.T, date time.Time, reverse bool) []byte {
	t.Helper()
	dir := t.TempDir()
	var files []File
	for _, name := range []string{"init", "bin/tool"} {
		path := filepath.Join(dir, filepath.Base(name))
		if err := os.WriteFile(path, []byte("content of "+name), 0o600); err != nil {
			t.Fatal(err)
		}
		os.Chtimes(path, date, date)
		files = append(files, File{Name: "/" + name, Path: path})
	}
	files = append(files, File{Name: "/bin/link", Link: "tool"})
	if reverse {
		files[0], files[1] = files[1], files[0]
	}
	var b bytes.Buffer
	if err := Write(&b, files); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestArchiveRepeatsToTheByte(t *testing.T) {
	a := archive(t, time.Unix(1e9, 0), false)
	b := archive(t, time.Unix(2e9, 0), true)
	if !bytes.Equal(a, b) {
		t.Error("dates or order changed the archive")
	}
	var got []string
	r := cpio.NewReader(bytes.NewReader(a))
	for {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(r)
		got = append(got, h.Name+" "+h.Mode.String()+" "+string(body)+h.Linkname)
	}
	want := "bin 040755 |bin/link 0120777 tool|bin/tool 0100755 content of bin/tool|init 0100755 content of init"
	if s := strings.Join(got, "|"); s != want {
		t.Errorf("got  %s\nwant %s", s, want)
	}
}

func TestTwoEntriesOfOneNameAreRefused(t *testing.T) {
	if err := Write(io.Discard, []File{{Name: "/a"}, {Name: "a"}}); err == nil {
		t.Error("accepted")
	}
}
