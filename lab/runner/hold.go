package runner

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"

	"github.com/klauspost/compress/zstd"

	"ghostlab/gdb/ends"
	"ghostlab/gdb/rsp"
	"ghostlab/images"
	"ghostlab/lab/crash"
	"ghostlab/lab/journal"
	"ghostlab/lab/matrix"
	"ghostlab/lab/vm"
)

// place is where programs end in the turn's kernel, nil where nobody is to look.
func (t *turn) place() *ends.Place {
	return t.run.Hold[images.Name(t.kind.kernel, t.kind.goVersion)]
}

// hold is what happens where a program of the turn's is about to fail.
func (t *turn) hold() *vm.Hold {
	h := &vm.Hold{Place: t.place(), Take: t.takes, Held: t.holds, Released: t.released}
	if t.run.Matrix.Collect.Keeps(matrix.Core) {
		h.Look = func(ctx context.Context, c *rsp.Client) {
			core, err := compressedCore(ctx, h.Place, c)
			if ctx.Err() == nil {
				t.keepCore(core, err)
			}
		}
	}
	return h
}

// keepCore keeps the core of the program that is about to fail, or says why there
// is none.
func (t *turn) keepCore(core []byte, err error) {
	if err != nil {
		t.run.notice(fmt.Sprintf("no core: %v", err))
	}
	t.core = core
}

// compressedCore takes a core by way of a file, in which what is zero takes no
// room.
func compressedCore(ctx context.Context, place *ends.Place, c *rsp.Client) ([]byte, error) {
	f, err := os.CreateTemp("", "lab-core-")
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if err := os.Remove(f.Name()); err != nil {
		return nil, err
	}
	if err := place.Core(ctx, c, f); err != nil {
		return nil, err
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	var out bytes.Buffer
	w, err := zstd.NewWriter(&out)
	if err != nil {
		return nil, err
	}
	if _, err = io.Copy(w, f); err == nil {
		err = w.Close()
	}
	return out.Bytes(), err
}

// takes says whether the turn's guest is to be held at its failure.
func (t *turn) takes() bool {
	t.held = t.current != nil && t.run.claim()
	return t.held
}

// holds is called when the guest is held: another one runs in its place.
func (t *turn) holds(vm.Live) {
	t.run.tellHeld(t.current.n)
	t.run.hire()
}

// released is called when the guest goes on, and when it has ended.
func (t *turn) released() {
	if t.held {
		t.held = false
		t.run.unclaim()
	}
}

// claim takes one of the places for guests that are held, if there is one.
func (r *run) claim() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.holding >= r.Holds {
		return false
	}
	r.holding++
	return true
}

func (r *run) unclaim() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.holding--
}

func (r *run) tellHeld(trial int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.Held(trial)
}

// record writes a trial of the turn's. One of the deterministic engine that has
// failed is run once more where its core or its guest is to be kept.
func (t *turn) record(j journal.Trial, ev journal.Evidence) {
	r, place := t.run, t.place()
	// What a hunt is for is always kept.
	j.Unkept = !r.Folder.Keeps(j) && !(r.hunts != nil && r.wants(j))
	t.kept = t.kept || !j.Unkept && (j.Outcome != crash.Pass || j.Sample)
	if place == nil || !t.kind.engine.Deterministic || !Failed(j) {
		r.record(j, ev)
		return
	}
	p := &Replayer{turn: &turn{run: r, kind: t.kind, vm: t.vm, batch: t.batch, spec: t.spec}, first: j}
	if !j.Unkept && r.Matrix.Collect.Keeps(matrix.Core) {
		t.keepCore(p.core(place, ev))
		ev[CoreFile], t.core = t.core, nil
	}
	r.record(j, ev)
	if !r.claim() {
		return
	}
	r.beside(func() {
		defer r.unclaim()
		err := p.Hold(place, ev, false, func(vm.Live) { r.tellHeld(j.N) })
		if err != nil && r.ctx.Err() == nil {
			r.notice(fmt.Sprintf("trial %d is not held: %v", j.N, err))
		}
	})
}

// core takes the core of a trial that has failed.
func (p *Replayer) core(place *ends.Place, was journal.Evidence) (core []byte, err error) {
	err = p.AtCrash(place, was, func(ctx context.Context, c *rsp.Client) (err error) {
		core, err = compressedCore(ctx, place, c)
		return err
	})
	return core, err
}
