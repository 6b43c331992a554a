package vm

import (
	"context"
	"fmt"

	"ghostlab/gdb/ends"
	"ghostlab/gdb/rsp"
)

// Hold keeps guests for people to look at: where a program is about to fail the
// machine is stopped, with all of the program in its memory. It goes on when a
// debugger that has connected detaches.
type Hold struct {
	// Place is where programs end in the guest's kernel.
	Place *ends.Place
	// Take is asked at each failure whether to hold the guest.
	Take func() bool
	// Look, when set, is called at each failure before that. The stub looks at the
	// CPU that runs the program.
	Look func(context.Context, *rsp.Client)
	// Held is told when the guest is stopped, Released when it goes on.
	Held, Released func()
}

// runWatched lets the guest go, and has it stopped where its program fails.
func (g *Guest) runWatched(ctx context.Context) error {
	c, err := rsp.Dial(ctx, g.dir.file("gdb"))
	if err != nil {
		return &InfraError{What: "watch the guest's program", Err: err}
	}
	if err := c.Insert(ctx, g.cfg.Hold.Place.Point()); err != nil {
		c.Close()
		return &InfraError{What: "watch the guest's program", Err: err}
	}
	g.failing = make(chan failure, 1)
	go func() {
		defer c.Close()
		if f := g.untilFailure(ctx, c); f != nil {
			g.failing <- *f
		}
	}()
	return nil
}

// failure is that of a guest's program, or of watching it.
type failure struct {
	cpu int // where it is about to happen, from 1
	err error
}

// untilFailure runs the guest until its program is about to fail, and is to be
// held there. It returns nil when the guest has ended.
func (g *Guest) untilFailure(ctx context.Context, c *rsp.Client) *failure {
	h := g.cfg.Hold
	for {
		stop, err := c.Continue(ctx)
		if err != nil {
			return nil // it has ended, which others notice
		}
		here, failing, err := h.Place.Here(ctx, c)
		if err == nil && !here {
			return nil // init's own way to stop the machine
		}
		if err == nil && failing && h.Look != nil {
			if err = c.Select(ctx, stop.CPU); err == nil {
				h.Look(ctx, c)
			}
		}
		if err == nil && failing && h.Take() {
			if err = c.Remove(ctx, h.Place.Point()); err == nil {
				return &failure{cpu: stop.CPU}
			}
		} else if err == nil {
			err = h.Place.Pass(ctx, c)
		}
		if err != nil {
			return &failure{err: fmt.Errorf("watch a program's end: %w", err)}
		}
	}
}

// keep keeps the guest, which is stopped.
func (g *Guest) keep(f failure) error {
	if f.err != nil {
		return f.err
	}
	g.held, g.cpu = "its program is about to fail", f.cpu
	if err := g.register(); err != nil {
		return err
	}
	g.cfg.Hold.Held()
	return nil
}

// resumed is called when a guest goes on, which may have been held.
func (g *Guest) resumed() error {
	if g.held == "" {
		return nil
	}
	g.held = ""
	g.cfg.Hold.Released()
	return g.register()
}
