package toolchain

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// What the user has set for programs of their own changes none of the lab's, whose
// keys in the cache know nothing of it.
func TestSettingsOfTheUserDoNotHold(t *testing.T) {
	dir := tree(t, map[string]string{
		"go.mod":  "module plain\n\ngo 1.21\n",
		"main.go": "package main\n\nimport \"sync/atomic\"\n\nvar n atomic.Int64\n\nfunc main() { println(n.Add(1)) }\n",
		"env":     "GOFLAGS=-race\nGOARM64=v9.0\n",
	})
	build := func() []byte {
		b := Build{Dir: dir, Package: ".", Out: filepath.Join(t.TempDir(), "plain")}
		if err := Compile(t.Context(), b); err != nil {
			t.Fatal(err)
		}
		program, err := os.ReadFile(b.Out)
		if err != nil {
			t.Fatal(err)
		}
		return program
	}
	want := build()
	t.Setenv("GOENV", filepath.Join(dir, "env")) // as after go env -w
	if !bytes.Equal(build(), want) {
		t.Error("go env -w changed the program")
	}
	if _, err := GOROOT(t.Context(), ""); err != nil {
		t.Error(err)
	}
	t.Setenv("GOARM64", "v9.0")
	t.Setenv("GOEXPERIMENT", "no-such-experiment")
	t.Setenv("GOFLAGS", "-race")
	if !bytes.Equal(build(), want) {
		t.Error("the environment changed the program")
	}
}
