package uroot

import (
	"os"
	"testing"

	"ghostlab/lab/labtest"
)

func TestArchive(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles a hundred commands")
	}
	path, err := Archive(t.Context(), labtest.Store(t))
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Size() < 1<<20 {
		t.Errorf("%s: %v, %v", path, info, err)
	}
}
