package bench

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"ghostlab/lab/labtest"
)

// ratio reports one line and fails where the value is over its limit.
func ratio(b *testing.B, name string, value, limit float64) {
	b.Helper()
	b.ReportMetric(0, "ns/op")
	fmt.Printf("ratio %s %.3f (at most %.2f)\n", name, value, limit)
	if value > limit {
		b.Errorf("%s is %.3f, over %.2f", name, value, limit)
	}
}

// BenchmarkKernelBuild compares lab's build with the commands a person would
// type: unpack, patch, the same .config, make. Both start from the same
// archive. It also shows that the build repeats: the image built here, in
// another folder, has the bytes of the one in the cache.
func BenchmarkKernelBuild(b *testing.B) {
	k := labtest.Kernel(b)
	source := k.Manifest.Source
	if _, path, ok := strings.Cut(source, "("); ok {
		source = strings.TrimSuffix(path, ")")
	}
	if info, err := os.Stat(source); err != nil || info.IsDir() {
		b.Skipf("%s is no archive", source)
	}
	root, err := filepath.Abs("../..")
	if err != nil {
		b.Fatal(err)
	}
	dir := b.TempDir()
	tree := filepath.Join(dir, "linux")
	os.Mkdir(tree, 0o755)

	took := func(name string, args ...string) time.Duration {
		start := time.Now()
		cmd := exec.CommandContext(b.Context(), name, args...)
		cmd.Dir = tree
		cmd.Stdout = io.Discard
		cmd.Stderr = os.Stderr
		cmd.Env = append(os.Environ(), "ARCH=arm64", "CROSS_COMPILE=aarch64-linux-gnu-")
		if err := cmd.Run(); err != nil {
			b.Fatalf("%s: %v", name, err)
		}
		return time.Since(start)
	}
	bare := took("tar", "-xf", source, "--strip-components=1")
	bare += took("patch", "-s", "-p1", "-i", filepath.Join(root, "kernels/patches/0001-mm-lab-fault.patch"))
	if err := exec.Command("cp", filepath.Join(k.Dir, "config"), filepath.Join(tree, ".config")).Run(); err != nil {
		b.Fatal(err)
	}
	bare += took("make", "-s", "olddefconfig")
	bare += took("make", "-s", "-j"+strconv.Itoa(runtime.NumCPU()), "Image", "scripts_gdb")
	os.RemoveAll(tree)
	os.Mkdir(tree, 0o755)

	lab := took(filepath.Join(root, "bin/lab"), "build", "kernel", "--kernel-source", source, "--cache", filepath.Join(dir, "another-cache"))
	ratio(b, "kernel-build", lab.Seconds()/bare.Seconds(), 1.05)

	images, err := filepath.Glob(filepath.Join(dir, "another-cache/kernels/*/Image"))
	if err != nil || len(images) != 1 {
		b.Fatalf("images: %v, %v", images, err)
	}
	if err := exec.Command("cmp", images[0], k.Image()).Run(); err != nil {
		b.Errorf("the same inputs in another folder gave another image: %v", err)
	}
}
