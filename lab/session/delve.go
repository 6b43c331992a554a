package session

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"al.essio.dev/pkg/shellescape"

	"ghostlab/gdb"
	"ghostlab/images"
	"ghostlab/initramfs"
	"ghostlab/initramfs/wire"
	"ghostlab/lab/qemu"
	"ghostlab/lab/vm"
)

const (
	delvePath = "/dlv" // in the guest
	delvePort = 4040
)

// delve runs Delve's server in a guest and says how to connect to it.
func (h Host) delve(ctx context.Context, p Program, img *images.Image, seed uint64) error {
	s, err := h.Describe(ctx, img.Kernel, p.about("", img))
	if err != nil {
		return err
	}
	dlv, version, err := gdb.Delve(ctx, h.Store, img.Manifest.Go)
	if err != nil {
		return err
	}
	dir, remove, err := vm.Scratch()
	if err != nil {
		return err
	}
	defer remove()
	cfg := h.machine(ctx)
	cfg.Kernel, cfg.Dir, cfg.Forward = img.Kernel.Image(), dir, delvePort
	cfg.About = p.about("debug --dlv", img)
	cfg.Initramfs = filepath.Join(dir, "initramfs.cpio")
	if err := images.Stack(cfg.Initramfs, []initramfs.File{{Name: delvePath, Path: dlv}}, img.Initramfs); err != nil {
		return err
	}
	argv := []string{delvePath, "exec", "--headless", "--api-version=2", "--accept-multiclient",
		"--listen=" + net.JoinHostPort(qemu.GuestAddress, strconv.Itoa(delvePort)), p.Command.Argv[0], "--"}
	cfg.Spec = wire.Spec{Trials: []wire.Trial{{ID: 1, Argv: append(argv, p.Command.Argv[1:]...), Env: p.Command.Env, Dir: p.Command.Dir, Seed: seed}}}
	guest, _, err := h.prepare(ctx, cfg)
	if err != nil {
		return err
	}
	defer guest.Close()
	address, err := guest.Forwarded()
	if err != nil {
		return err
	}
	listening, stop := context.WithCancel(ctx)
	defer stop()
	go func() {
		if awaitText(listening, filepath.Join(dir, vm.LogName), "API server listening at") {
			h.invite(s, dir, address)
			h.Out.Printf("Delve %s waits in the guest before the program's first instruction; Ctrl-C here ends both", version)
		}
	}()
	return h.watch(ctx, guest)
}

// awaitText waits until a file that grows has the text in it.
func awaitText(ctx context.Context, file, text string) bool {
	for {
		if b, err := os.ReadFile(file); err == nil && bytes.Contains(b, []byte(text)) {
			return true
		}
		select {
		case <-ctx.Done():
			return false
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// invite prints how a client connects to Delve: the program's debug information
// names files by import path, and the client has to know where they are.
func (h Host) invite(s gdb.Session, dir, address string) {
	hostname, port, _ := net.SplitHostPort(address)
	number, _ := strconv.Atoi(port)
	entry := launchEntry{
		Name: "lab debug --dlv", Type: "go", Request: "attach", Mode: "remote", Host: hostname, Port: number,
	}
	var rules strings.Builder
	for _, f := range append(s.Folders, gdb.Folder{Dir: filepath.Join(s.GOROOT, "src")}) {
		name := f.Name
		if name != "" { // else all other names are Go's own
			name += "/"
		}
		entry.Paths = append(entry.Paths, substitute{From: f.Dir + "/", To: name})
		fmt.Fprintf(&rules, "config substitute-path %q %q\n", name, f.Dir+"/")
	}
	text, _ := json.MarshalIndent(entry, "", "  ")
	init := filepath.Join(dir, "lab.dlv")
	os.WriteFile(init, []byte(rules.String()), 0o600)
	fmt.Fprintf(h.Streams.Out, "dlv connect %s --init %s\n%s\n", address, shellescape.Quote(init), text)
}

// launchEntry is one of VS Code's launch.json, for its Go extension.
type launchEntry struct {
	Name    string       `json:"name"`
	Type    string       `json:"type"`
	Request string       `json:"request"`
	Mode    string       `json:"mode"`
	Host    string       `json:"host"`
	Port    int          `json:"port"`
	Paths   []substitute `json:"substitutePath"`
}

// substitute says that a folder of this host is another name's to Delve.
type substitute struct {
	From string `json:"from"`
	To   string `json:"to"`
}
