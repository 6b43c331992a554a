package bench

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ghostlab/images"
	"ghostlab/initramfs"
	"ghostlab/lab/journal"
	"ghostlab/lab/labtest"
	"ghostlab/lab/matrix"
	"ghostlab/lab/qemu"
	"ghostlab/lab/runner"
	"ghostlab/lab/toolchain"
	"ghostlab/lab/vm"
	"ghostlab/scenarios"
)

// BenchmarkProcess compares many trials in one guest of the lab's with a loop in
// a guest, both from the start of QEMU to its end.
func BenchmarkProcess(b *testing.B) {
	s, cfg := race(b)
	archive := loopArchive(b, s)
	const n = 50
	// One writer: a crash takes four times as long as a pass, and how many of
	// them there are must not decide. So many writes take as long as a crash.
	command := runner.Command(s, map[string]string{"goroutines": "1", "gomaxprocs": "2", "iterations": "10000"}, nil)
	forkable(b, cfg, vm.Engine{})
	var loop, lab time.Duration
	for range rounds {
		loop += guestLoop(b, cfg, archive, command, n)
		j := job(b, s, cfg, matrix.Parallel, matrix.Process, n)
		j.Commands = []journal.Command{command}
		lab += run(b, j)
	}
	b.Logf("a trial: in a loop %v, by lab %v", loop/(rounds*n), lab/(rounds*n))
	ratio(b, "process", lab.Seconds()/loop.Seconds(), 1.10)
}

// loopArchive is an initramfs with the loop and the program.
func loopArchive(b *testing.B, s *scenarios.Scenario) string {
	b.Helper()
	dir := b.TempDir()
	init, archive := filepath.Join(dir, "init"), filepath.Join(dir, "loop.cpio")
	if err := toolchain.Compile(b.Context(), toolchain.Build{Dir: "testdata/loop", Package: ".", LDFlags: "-s -w", Out: init}); err != nil {
		b.Fatal(err)
	}
	f, err := os.Create(archive)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	err = initramfs.Write(f, []initramfs.File{
		{Name: "/init", Path: init}, {Name: images.ProgramPath, Path: labtest.Image(b, s.ReproDir()).Program},
	})
	if err != nil {
		b.Fatal(err)
	}
	return archive
}

func guestLoop(b *testing.B, cfg vm.Config, archive string, command journal.Command, n int) time.Duration {
	b.Helper()
	console := filepath.Join(b.TempDir(), "console")
	args := strings.Join(command.Argv[1:], ",")
	argv := qemu.Command{Binary: cfg.QEMU, Devices: []qemu.Device{
		qemu.Machine{CPU: cfg.CPU, VCPUs: cfg.VCPUs, Memory: cfg.Memory}, qemu.Parallel{Alone: cfg.VCPUs == 1},
		qemu.Kernel{Image: cfg.Kernel, Initramfs: archive, Extra: []string{fmt.Sprintf("LOOP=%d ARGS=%s", n, args)}},
		qemu.Console{File: console},
	}}.Argv()
	start := time.Now()
	if out, err := exec.CommandContext(b.Context(), argv[0], argv[1:]...).CombinedOutput(); err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
	took := time.Since(start)
	out, err := os.ReadFile(console)
	if ran := bytes.Count(out, []byte("passed:")); err != nil || ran != n {
		b.Fatalf("%d of %d trials ran: %v\n%s", ran, n, err, out[:min(len(out), 4000)])
	}
	return took
}
