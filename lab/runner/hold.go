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
	"ghostlab/lab/matrix"
	"ghostlab/lab/vm"
)

// hold is what happens where a program of the turn's is about to fail. A
// deterministic guest is left alone: breakpoints could move its schedule.
func (t *turn) hold() *vm.Hold {
	place := t.run.Hold[images.Name(t.kind.kernel, t.kind.goVersion)]
	if place == nil || t.kind.engine.Deterministic {
		return nil
	}
	h := &vm.Hold{Place: place, Take: t.takes, Held: t.holds, Released: t.released}
	if t.run.Matrix.Collect.Keeps(matrix.Core) {
		h.Look = func(ctx context.Context, c *rsp.Client) {
			core, err := compressedCore(ctx, place, c)
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
		return
	}
	t.run.mu.Lock()
	defer t.run.mu.Unlock()
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

// takeCore returns the core of the program that has failed, nil without one.
func (t *turn) takeCore() []byte {
	t.run.mu.Lock()
	defer t.run.mu.Unlock()
	core := t.core
	t.core = nil
	return core
}

// takes says whether the turn's guest is to be held at its failure.
func (t *turn) takes() bool {
	r := t.run
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.holding >= r.Holds {
		return false
	}
	r.holding++
	t.held = true
	return true
}

// holds is called when the guest is held: another one runs in its place.
func (t *turn) holds() {
	r := t.run
	r.mu.Lock()
	defer r.mu.Unlock()
	if t.current != nil {
		r.Held(t.current.n)
	}
	r.extra()
}

// released is called when the guest goes on, and when it has ended.
func (t *turn) released() {
	r := t.run
	r.mu.Lock()
	defer r.mu.Unlock()
	if t.held {
		t.held = false
		r.holding--
	}
}
