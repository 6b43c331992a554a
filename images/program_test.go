package images

import (
	"os"
	"path/filepath"
	"testing"

	"ghostlab/lab/store"
	"ghostlab/scenarios"
)

// module makes a folder with a program that prints a word and carries a file.
func module(t *testing.T, word string) string {
	t.Helper()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "go.mod"), "module p\n\ngo 1.21\n")
	write(t, filepath.Join(dir, "word", "word.go"), "package word\n\nconst Word = \""+word+"\"\n")
	write(t, filepath.Join(dir, "carried.txt"), "one")
	write(t, filepath.Join(dir, "main.go"), `package main

import (
	_ "embed"
	"p/word"
)

//go:embed carried.txt
var carried string

func main() { println(word.Word, carried) }
`)
	return dir
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// A program is a function of its sources, whatever was compiled before, in
// whatever folder.
func TestProgramFollowsItsSources(t *testing.T) {
	st, err := store.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	dir, elsewhere := module(t, "a"), module(t, "a")
	build := func(dir string) string {
		t.Helper()
		path, sum, err := compile(t.Context(), st, scenarios.Program{Dir: dir}, "")
		if err != nil {
			t.Fatal(err)
		}
		if got, err := store.FileSum(path); err != nil || got != sum {
			t.Fatalf("the program's digest is %s, said to be %s (%v)", got, sum, err)
		}
		return sum
	}
	first := build(dir)
	seen := map[string]string{first: "the first"}
	for _, c := range []struct{ file, text, was string }{
		{"word/word.go", "package word\n\nconst Word = \"b\"\n", "package word\n\nconst Word = \"a\"\n"},
		{"carried.txt", "two", "one"},
		{"new.go", "package main\n\nfunc init() { println(1) }\n", "package main\n"},
	} {
		write(t, filepath.Join(dir, c.file), c.text)
		sum := build(dir)
		if other, ok := seen[sum]; ok {
			t.Errorf("a changed %s gave the program of %s", c.file, other)
		}
		seen[sum] = c.file
		write(t, filepath.Join(dir, c.file), c.was)
	}
	if err := os.Remove(filepath.Join(dir, "new.go")); err != nil {
		t.Fatal(err)
	}
	if build(dir) != first {
		t.Error("the first sources again gave another program")
	}
	if build(elsewhere) != first {
		t.Error("the folder changed the program")
	}
}

func TestDamagedProgramIsNotTakenForTheLast(t *testing.T) {
	st, err := store.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	dir := module(t, "a")
	path, first, err := compile(t.Context(), st, scenarios.Program{Dir: dir}, "")
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	// The head, where go looks, stays.
	if err := os.Truncate(path, info.Size()/2); err != nil {
		t.Fatal(err)
	}
	if _, sum, err := compile(t.Context(), st, scenarios.Program{Dir: dir}, ""); err != nil || sum != first {
		t.Errorf("compiled %s, want %s (%v)", sum, first, err)
	}
}
