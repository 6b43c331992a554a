package kernels

import (
	"context"
	"debug/dwarf"
	"debug/elf"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"ghostlab/lab/progress"
	"ghostlab/lab/store"
)

const (
	// recipe is part of every key: raise it when the same inputs shall give
	// another artefact.
	recipe = "kernel 2"
	// spaceNeeded is for the sources and the objects while a kernel is built:
	// 1.3 GB and 0.5 GB with 6.1 (du).
	spaceNeeded = 3 << 30
	// stepsFirst is the number of build steps assumed for the progress bar
	// before any build has been counted: what 6.1.192 took.
	stepsFirst = 1332
)

// key is the digest of everything a build depends on.
func (b *builder) key(s *Series, sourceDigest string) (store.Key, error) {
	h := store.NewHasher(recipe)
	h.Add("source", sourceDigest)
	for _, name := range append(append([]string{}, s.Patches...), s.Config...) {
		text, err := readDefinition(s, name)
		if err != nil {
			return store.Key{}, err
		}
		h.Add(name, text)
	}
	compiler, err := compilerVersion(b.CrossCompile)
	if err != nil {
		return store.Key{}, err
	}
	h.Add("compiler", compiler)
	return h.Key(), nil
}

// compilerVersion is the first line of gcc's and ld's own words, which name the
// distribution's build of them too.
func compilerVersion(cross string) (string, error) {
	var all []string
	for _, tool := range []string{"gcc", "ld"} {
		out, err := exec.Command(cross+tool, "--version").Output()
		if err != nil {
			return "", &MissingToolError{Tool: cross + tool}
		}
		line, _, _ := strings.Cut(string(out), "\n")
		all = append(all, line)
	}
	return strings.Join(all, "; "), nil
}

// MissingToolError names a program that a build needs and this host lacks.
type MissingToolError struct{ Tool string }

func (e *MissingToolError) Error() string { return e.Tool + " was not found" }

// Hint says what to do about it.
func (e *MissingToolError) Hint() string {
	return "`lab doctor` names the command that installs it; `make setup` installs everything on Debian and Ubuntu"
}

// Manifest is what a kernel was made from, kept beside it.
type Manifest struct {
	Series string `json:"series"`
	// Lender is the series whose patches and fragments it has, where its own has
	// none.
	Lender   string `json:"lender,omitempty"`
	Version  string `json:"version"` // of the sources: "5.15.202"
	Source   string `json:"source"`
	Digest   string `json:"source_digest"`
	Compiler string `json:"compiler"`
	// Image is the SHA-256 of the kernel's bytes.
	Image string `json:"image_sha256"`
	// Steps is how many steps the build took.
	Steps int64 `json:"build_steps"`
}

// build makes a kernel from the origin into staging.
func (b *builder) build(ctx context.Context, s *Series, o *origin, staging string) (err error) {
	if strings.ContainsAny(staging, " \t:") {
		return &FolderError{Dir: filepath.Dir(filepath.Dir(staging))}
	}
	if err := store.NeedSpace(staging, spaceNeeded); err != nil {
		return err
	}
	path, err := o.fetch(ctx)
	if err != nil {
		return err
	}
	tree := filepath.Join(staging, "linux")
	if err := os.Mkdir(tree, 0o755); err != nil {
		return err
	}
	b.Progress.Printf("kernel %s from %s", s.Series, o.name)
	if s.Lender != "" {
		b.Progress.Printf("series %s has no file in kernels/: patched and configured as %s", s.Series, s.Lender)
	}
	unpacking := b.Progress.Steps("unpack sources", 0)
	err = unpack(ctx, path, tree)
	unpacking.End()
	if err != nil {
		return err
	}
	found, err := versionAt(ctx, tree)
	if err != nil {
		return err
	}
	if seriesOf(found) != s.Series {
		return fmt.Errorf("%s is Linux %s, want series %s", o.name, found, s.Series)
	}
	for _, p := range s.Patches {
		if err := applyPatch(ctx, s, p, tree, o.name); err != nil {
			return err
		}
	}

	log, err := os.Create(filepath.Join(staging, "build.log"))
	if err != nil {
		return err
	}
	defer log.Close()
	mk := &maker{dir: tree, cross: b.CrossCompile, jobs: b.Jobs, log: log}
	defer func() { err = b.keepLog(s, log.Name(), err) }()
	lacks, err := configure(ctx, s, tree, mk)
	if err != nil {
		return err
	}
	for _, d := range lacks {
		b.Progress.Printf("Linux %s has no option %s (%s): left out", found, d.Name, d.Place)
	}
	steps, err := b.compile(ctx, s, mk)
	if err != nil {
		return err
	}
	if err := collect(tree, staging); err != nil {
		return err
	}
	sum, err := store.FileSum(filepath.Join(staging, "Image"))
	if err != nil {
		return err
	}
	compiler, err := compilerVersion(b.CrossCompile)
	if err != nil {
		return err
	}
	j, err := json.MarshalIndent(Manifest{s.Series, s.Lender, found, o.name, o.digest, compiler, sum, steps}, "", "  ")
	if err != nil {
		return err
	}
	b.rememberSteps(s, steps)
	return os.WriteFile(filepath.Join(staging, "manifest.json"), j, 0o644)
}

func (b *builder) compile(ctx context.Context, s *Series, mk *maker) (int64, error) {
	task := b.Progress.Estimate("compile Linux "+s.Series, b.expectedSteps(s))
	defer task.End()
	var steps int64
	err := mk.make(ctx, func(line string) {
		if stepLine.MatchString(line) {
			steps++
			task.Set(steps)
		}
	}, "Image", "scripts_gdb")
	return steps, err
}

// keepLog gives a failed build's log a place outside the staging folder, which
// goes away, and the error its name.
func (b *builder) keepLog(s *Series, log string, err error) error {
	var failed *BuildError
	if !errors.As(err, &failed) {
		return err
	}
	kept := filepath.Join(b.Store.Dir(), "failed-kernel-"+s.Series+".log")
	if copyFile(log, kept, 0o644) == nil {
		failed.Log = kept
	}
	return err
}

func (b *builder) stepsFile(s *Series) string {
	return filepath.Join(b.Store.Dir(), "kernel-steps-"+s.Series)
}

func (b *builder) rememberSteps(s *Series, n int64) {
	os.WriteFile(b.stepsFile(s), fmt.Append(nil, n), 0o644)
}

func (b *builder) expectedSteps(s *Series) int64 {
	n := int64(stepsFirst)
	if text, err := os.ReadFile(b.stepsFile(s)); err == nil {
		fmt.Sscan(string(text), &n)
	}
	return n
}

// collect keeps what booting and debugging need, and of the sources those files
// that the debug information names.
func collect(tree, dst string) error {
	for from, to := range map[string]string{
		"arch/arm64/boot/Image":      "Image",
		"vmlinux":                    "vmlinux",
		".config":                    "config",
		"System.map":                 "System.map",
		"scripts/gdb/vmlinux-gdb.py": "vmlinux-gdb.py",
	} {
		if err := copyFile(filepath.Join(tree, from), filepath.Join(dst, to), 0o644); err != nil {
			return err
		}
	}
	scripts, err := filepath.Glob(filepath.Join(tree, "scripts/gdb/linux/*.py"))
	if err != nil {
		return err
	}
	files := map[string]string{}
	for _, p := range scripts {
		files[p] = filepath.Join(dst, "scripts/gdb/linux", filepath.Base(p))
	}
	named, err := sourcesOf(filepath.Join(dst, "vmlinux"))
	if err != nil {
		return err
	}
	for _, rel := range named {
		files[filepath.Join(tree, rel)] = filepath.Join(dst, "src", rel)
	}
	for from, to := range files {
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return err
		}
		if err := copyFile(from, to, 0o644); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
		// gdb warns of sources younger than the program.
		if err := os.Chtimes(to, time.Unix(0, 0), time.Unix(0, 0)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	if err := mendConstants(filepath.Join(dst, "scripts/gdb/linux/constants.py")); err != nil {
		return err
	}
	return os.RemoveAll(tree)
}

// cLiteral matches the C suffixes that 5.15's gdb scripts leave in Python code.
var cLiteral = regexp.MustCompile(`\b(0x[0-9a-fA-F]+|[0-9]+)(?:UL|U|L|ULL|LL)\b`)

// mendConstants makes valid Python of the generated constants: since SB_RDONLY
// became BIT(0), 5.15 writes "1UL" there and no lx- command loads.
func mendConstants(file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	return os.WriteFile(file, cLiteral.ReplaceAll(text, []byte("$1")), 0o644)
}

// sourcesOf returns the files that vmlinux was compiled from, relative to the tree.
func sourcesOf(vmlinux string) ([]string, error) {
	f, err := elf.Open(vmlinux)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := f.DWARF()
	if err != nil {
		return nil, fmt.Errorf("debug information of %s: %w", vmlinux, err)
	}
	seen := map[string]bool{}
	var names []string
	r := data.Reader()
	for {
		e, err := r.Next()
		if err != nil {
			return nil, err
		}
		if e == nil {
			return names, nil
		}
		r.SkipChildren()
		if e.Tag != dwarf.TagCompileUnit {
			continue
		}
		lines, err := data.LineReader(e)
		if err != nil || lines == nil {
			continue
		}
		for _, file := range lines.Files() {
			if file == nil || seen[file.Name] {
				continue
			}
			seen[file.Name] = true
			name := strings.TrimPrefix(filepath.Clean(file.Name), buildRoot+"/")
			if filepath.IsLocal(name) {
				names = append(names, name)
			}
		}
	}
}

// builder is one call of Ensure.
type builder struct {
	Options
	Store    *store.Store
	Progress *progress.Output
}

// FolderError says that the kernel's makefiles cannot work in a cache folder.
type FolderError struct{ Dir string }

func (e *FolderError) Error() string {
	return fmt.Sprintf("the kernel's makefiles cannot build in %q: its name has a space or a colon", e.Dir)
}

// BadInput marks what the user can mend, see usage.IsBadInput.
func (*FolderError) BadInput() {}

// Hint says what to do about it.
func (e *FolderError) Hint() string { return "name another cache folder with --cache or LAB_CACHE" }
