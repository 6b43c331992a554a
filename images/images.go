// Package images makes what a guest boots: a kernel and an initramfs that holds
// init and the program under test, with a manifest of what they were made from.
package images

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"ghostlab/initramfs"
	"ghostlab/kernels"
	"ghostlab/lab/store"
	"ghostlab/scenarios"
)

// ProgramPath is where the program under test is in the guest, ZonesPath where
// the time zones of its Go are: the value of ZONEINFO there.
const (
	ProgramPath = "/repro"
	ZonesPath   = "/usr/share/zoneinfo.zip"
)

// Image is a kernel with an initramfs.
type Image struct {
	Kernel *kernels.Kernel
	// Initramfs and Program are files on the host; Program is the one under
	// test, with its symbols.
	Initramfs, Program string
	Manifest           Manifest
}

// Manifest identifies an image: equal manifests are equal guests.
type Manifest struct {
	Kernel    string `json:"kernel_sha256"`
	Initramfs string `json:"initramfs_sha256"`
	Program   string `json:"program_sha256"`
	Init      string `json:"init_sha256"`
	Go        string `json:"go"` // the program's toolchain
	// Artefacts are the folders of the three in the store of the host that
	// made them, relative to it.
	Artefacts Artefacts `json:"artefacts"`
}

// Artefacts are folders in a store, each a kind and a key such as
// "kernels/0123456789abcdef01234567".
type Artefacts struct {
	Kernel    string `json:"kernel"`
	Initramfs string `json:"initramfs"`
	Program   string `json:"program"`
}

// Check says which is not the name of such a folder: manifests come from other hosts,
// and whatever they name is booted. Empty ones pass, as for an image that is nowhere.
func (a Artefacts) Check() error {
	for kind, folder := range map[string]string{"kernels": a.Kernel, "initramfs": a.Initramfs, "programs": a.Program} {
		if folder != "" && !store.Names(kind, folder) {
			return fmt.Errorf("artefacts: want %s/ and a key, got %q", kind, folder)
		}
	}
	return nil
}

// Name tells the images of one program apart: by the kernel series asked for and
// by the program's toolchain.
func Name(series, goVersion string) string { return series + " go" + goVersion }

// Open returns the image that a manifest describes, as it is in the store. It
// fails when any of it is gone or is not what it was.
func Open(st *store.Store, m Manifest) (*Image, error) {
	if err := m.Artefacts.Check(); err != nil {
		return nil, err
	}
	if m.Artefacts.Kernel == "" || m.Artefacts.Initramfs == "" || m.Artefacts.Program == "" {
		return nil, fmt.Errorf("open the image: %w", fs.ErrNotExist)
	}
	at := func(folder string) string { return filepath.Join(st.Dir(), filepath.FromSlash(folder)) }
	k, err := kernels.Open(at(m.Artefacts.Kernel))
	if err != nil {
		return nil, err
	}
	img := &Image{
		Kernel: k, Manifest: m,
		Initramfs: filepath.Join(at(m.Artefacts.Initramfs), initramfsFile),
		Program:   filepath.Join(at(m.Artefacts.Program), programFile),
	}
	for path, want := range map[string]string{k.Image(): m.Kernel, img.Initramfs: m.Initramfs, img.Program: m.Program} {
		sum, err := store.FileSum(path)
		if err != nil {
			return nil, err
		}
		if sum != want {
			return nil, &ChangedError{Path: path, Want: want, Got: sum}
		}
	}
	return img, nil
}

// ChangedError says that an artefact in the store is not what it was.
type ChangedError struct{ Path, Want, Got string }

func (e *ChangedError) Error() string {
	return fmt.Sprintf("%s has changed: want sha256 %s, got %s", e.Path, e.Want, e.Got)
}

// Hint says what to do about it.
func (e *ChangedError) Hint() string {
	return "remove " + filepath.Dir(e.Path) + " from the cache: lab makes it again"
}

const (
	initramfsFile = "initramfs.cpio"
	programFile   = "repro"
)

// Same says whether two manifests describe the same guest, wherever it is kept.
func (m Manifest) Same(other Manifest) bool {
	m.Artefacts, other.Artefacts = Artefacts{}, Artefacts{}
	return m == other
}

// Archive is an initramfs with a compiled program, for any kernel.
type Archive struct {
	// folder holds the initramfs, program is the compiled file.
	folder, program string
	manifest        Manifest
	// Size is the initramfs', in bytes.
	Size int64
}

// Compile compiles a program with the given Go version and packs it, with the
// files it expects where it runs. The go command's own cache makes the second
// time quick.
func Compile(ctx context.Context, st *store.Store, p scenarios.Program, goVersion string) (*Archive, error) {
	program, sum, err := compile(ctx, st, p, goVersion)
	if err != nil {
		return nil, err
	}
	initPath, err := initramfs.Init(ctx, st)
	if err != nil {
		return nil, err
	}
	around, err := surroundings(ctx, p, goVersion)
	if err != nil {
		return nil, err
	}
	zones, err := timeZones(ctx, goVersion)
	if err != nil {
		return nil, err
	}
	around = append(around, zones...)
	h := store.NewHasher("initramfs 2")
	h.Add("program", sum)
	if err := h.AddFile("init", initPath); err != nil {
		return nil, err
	}
	for _, f := range around {
		if err := addTo(h, f); err != nil {
			return nil, err
		}
	}
	folder, err := st.Ensure(ctx, "initramfs", h.Key(), func(ctx context.Context, staging string) error {
		return pack(filepath.Join(staging, initramfsFile), append(around,
			initramfs.File{Name: "/init", Path: initPath},
			initramfs.File{Name: ProgramPath, Path: program}))
	})
	if err != nil {
		return nil, err
	}
	a := &Archive{folder: folder, program: program, manifest: Manifest{Program: sum, Go: goVersion}}
	if a.manifest.Init, err = store.FileSum(initPath); err != nil {
		return nil, err
	}
	a.manifest.Artefacts = Artefacts{Initramfs: st.Relative(folder), Program: st.Relative(filepath.Dir(program))}
	file := filepath.Join(folder, initramfsFile)
	info, err := os.Stat(file)
	if err != nil {
		return nil, err
	}
	a.Size = info.Size()
	a.manifest.Initramfs, err = store.FileSum(file)
	return a, err
}

// With is the archive and a kernel of the same store.
func (a *Archive) With(st *store.Store, k *kernels.Kernel) *Image {
	img := &Image{Kernel: k, Program: a.program, Initramfs: filepath.Join(a.folder, initramfsFile), Manifest: a.manifest}
	img.Manifest.Kernel = k.Manifest.Image
	img.Manifest.Artefacts.Kernel = st.Relative(k.Dir)
	return img
}

// Ensure is Compile and With.
func Ensure(ctx context.Context, st *store.Store, k *kernels.Kernel, p scenarios.Program, goVersion string) (*Image, error) {
	a, err := Compile(ctx, st, p, goVersion)
	if err != nil {
		return nil, err
	}
	return a.With(st, k), nil
}

// Stack writes an initramfs for one session to path: archives, and files over
// them. The kernel unpacks one archive after the other.
func Stack(path string, files []initramfs.File, archives ...string) error {
	var stack []byte
	add := func(archive string) error {
		b, err := os.ReadFile(archive)
		// An archive begins at a multiple of 4 (Linux,
		// Documentation/driver-api/early-userspace/buffer-format.rst).
		for len(stack)%4 != 0 {
			stack = append(stack, 0)
		}
		stack = append(stack, b...)
		return err
	}
	if err := pack(path, files); err != nil {
		return err
	}
	for _, archive := range append(archives, path) {
		if err := add(archive); err != nil {
			return err
		}
	}
	return os.WriteFile(path, stack, 0o600)
}

func pack(path string, files []initramfs.File) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := initramfs.Write(f, files); err != nil {
		return err
	}
	return f.Close()
}
