package vm

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/digitalocean/go-qemu/qmp"

	"ghostlab/initramfs/wire"
	"ghostlab/lab/host"
	"ghostlab/lab/qemu"
	"ghostlab/lab/store"
)

// Template is a guest that has booted and waits for its spec, as files: its
// memory, which clones map privately, and its devices' state.
type Template struct {
	dir string
	// Digest identifies the guest that was snapshotted: the contents of its
	// memory and the time on its clock. Clones of equal digests go on alike.
	Digest string `json:"digest"`
}

const (
	ramFile   = "ram"
	stateFile = "state"
	aboutFile = "template.json"
)

func (t *Template) file(name string) string { return filepath.Join(t.dir, name) }

// EnsureTemplate returns the template for a guest, from the store or made now.
// The fields of cfg that differ between clones are ignored.
func EnsureTemplate(ctx context.Context, st *store.Store, cfg Config) (*Template, error) {
	key, err := templateKey(cfg)
	if err != nil {
		return nil, err
	}
	dir, err := st.Ensure(ctx, "templates", key, func(ctx context.Context, staging string) error {
		// Each new one pays for old ones that nobody has used for long.
		st.Trim("templates", templatesKept)
		return snapshot(ctx, cfg, staging)
	})
	if err != nil {
		return nil, err
	}
	t, err := openTemplate(dir)
	if err == nil {
		t.Used()
	}
	return t, err
}

// Used keeps the template from being trimmed for a day: those who make clones for
// longer say so in time.
func (t *Template) Used() {
	now := time.Now()
	os.Chtimes(t.dir, now, now)
}

// templatesKept is how much disk templates may take, in bytes: about 40 of them.
const templatesKept = 4 << 30

// templateKey is the digest of all that a snapshot depends on.
func templateKey(cfg Config) (store.Key, error) {
	h := store.NewHasher("template 3")
	if err := errors.Join(h.AddFile("kernel", cfg.Kernel), h.AddFile("initramfs", cfg.Initramfs)); err != nil {
		return store.Key{}, err
	}
	h.Add("qemu", cfg.Version)
	machine := cfg.board()
	h.Add("machine", strings.Join(append(machine.Args(), cfg.engine().Args()...), " "))
	if machine.CPU == "host" {
		h.Add("host", host.CPU()) // the cache may be shared with another host
	}
	h.Add("arguments", strings.Join(append(qemu.Kernel{Extra: cfg.KernelArgs}.KernelArgs(), qemu.Console{}.KernelArgs()...), " "))
	h.Add("wire", fmt.Sprint(wire.SpecRoom, wire.MailboxSize))
	return h.Key(), nil
}

func openTemplate(dir string) (*Template, error) {
	text, err := os.ReadFile(filepath.Join(dir, aboutFile))
	if err != nil {
		return nil, fmt.Errorf("template: %w", err)
	}
	t := &Template{dir: dir}
	return t, json.Unmarshal(text, t)
}

// snapshot boots a guest without a spec into dir and snapshots it where its init
// stops the machine.
func snapshot(ctx context.Context, cfg Config, dir string) error {
	cfg.Template, cfg.Spec, cfg.Started, cfg.Record = nil, wire.Spec{}, nil, ""
	cfg.Paused = false
	cfg.Dir = dir
	g, err := start(ctx, cfg, dir)
	if err != nil {
		return err
	}
	defer g.Close()
	if err := g.run(); err != nil {
		return err
	}
	if err := g.awaitStop(ctx); err != nil {
		return err
	}
	if err := g.waits(); err != nil {
		return err
	}
	if err := g.save(dir); err != nil {
		return &InfraError{What: "snapshot", Err: err}
	}
	clock, err := settleClock(filepath.Join(dir, stateFile))
	if err != nil {
		return err
	}
	digest, err := guestDigest(filepath.Join(dir, ramFile), clock)
	if err != nil {
		return err
	}
	about, err := json.Marshal(Template{Digest: digest})
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, aboutFile), about, 0o644)
}

// awaitStop waits until init has stopped the machine.
func (g *Guest) awaitStop(ctx context.Context) error {
	tick := time.NewTicker(poll)
	defer tick.Stop()
	shutdown := ""
	for {
		ended := false
		select {
		case e, ok := <-g.events:
			switch {
			case !ok:
				ended = true
			case e.Event == "STOP":
				return nil
			case e.Event == "SHUTDOWN":
				shutdown, _ = e.Data["reason"].(string)
			}
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
		if err := g.console.follow(); err != nil {
			return &InfraError{What: "console", Err: err}
		}
		if ended {
			return g.bootError("the guest ended before it was ready", g.fromOutside(shutdown))
		}
		if reason, err := g.overdue(); err != nil {
			return err
		} else if reason != 0 {
			return g.bootError(notReady(reason), nil)
		}
	}
}

// waits says whether the machine that has stopped is one that waits for a spec,
// and not one whose init gave up.
func (g *Guest) waits() error {
	if err := g.console.follow(); err != nil {
		return &InfraError{What: "console", Err: err}
	}
	if !bytes.HasSuffix(g.console.end(consoleKeep), []byte(wire.TemplateLine)) {
		return g.bootError("the guest gave up before it could be snapshotted", nil)
	}
	return nil
}

// migrate starts a migration to or from a file, leaving out memory that is a
// file of its own. QEMU since 9.1 says on stderr that it would rather have the file as
// "file:", which 7.2 does not know.
func (g *Guest) migrate(command string, state *os.File) error {
	defer state.Close()
	err := g.command("migrate-set-capabilities", map[string]any{"capabilities": []any{
		map[string]any{"capability": "x-ignore-shared", "state": true},
	}}, nil)
	if err != nil {
		return err
	}
	if err := g.mon.GiveFile("state", state); err != nil {
		return err
	}
	return g.command(command, map[string]any{"uri": "fd:state"}, nil)
}

// save writes the state of the stopped machine's devices and its mailbox.
func (g *Guest) save(dir string) error {
	state, err := os.Create(filepath.Join(dir, stateFile))
	if err != nil {
		return err
	}
	if err := g.migrate("migrate", state); err != nil {
		return err
	}
	return g.migrated()
}

// load brings a clone to its template's snapshot.
func (g *Guest) load(ctx context.Context) error {
	state, err := os.Open(g.cfg.Template.file(stateFile))
	if err != nil {
		return err
	}
	if err = g.migrate("migrate-incoming", state); err == nil {
		err = g.migrationEnd(ctx)
	}
	if err != nil {
		return g.notStarted(fmt.Errorf("load the template: %w", err))
	}
	return nil
}

// migrated waits until the outgoing migration has ended.
func (g *Guest) migrated() error {
	for start := time.Now(); ; {
		var m struct {
			Status string `json:"status"`
			Error  string `json:"error-desc"`
		}
		if err := g.command("query-migrate", nil, &m); err != nil {
			return err
		}
		switch m.Status {
		case "completed":
			return nil
		case "failed", "cancelled":
			return fmt.Errorf("migration %s: %s", m.Status, m.Error)
		}
		if time.Since(start) > slowHost*g.cfg.BootLimit {
			return errors.New("migration: no end in sight")
		}
		time.Sleep(time.Millisecond)
	}
}

// migrationEnd waits for the event that says how the incoming migration ended.
func (g *Guest) migrationEnd(ctx context.Context) error {
	limit := time.NewTimer(g.cfg.BootLimit)
	defer limit.Stop()
	for {
		select {
		case e, ok := <-g.events:
			if !ok {
				return qemu.ErrDisconnected
			}
			if done, err := migrationState(e); done {
				return err
			}
		case <-ctx.Done():
			return ctx.Err()
		case <-limit.C:
			return fmt.Errorf("%w: no end of the migration", qemu.ErrSilent)
		}
	}
}

func migrationState(e qmp.Event) (done bool, err error) {
	if e.Event != "MIGRATION" {
		return false, nil
	}
	switch status, _ := e.Data["status"].(string); status {
	case "completed":
		return true, nil
	case "failed", "cancelled":
		return true, fmt.Errorf("migration %s", status)
	}
	return false, nil
}
