package vm

import (
	"context"
	"fmt"

	"ghostlab/gdb/ends"
	"ghostlab/gdb/rsp"
)

// Hold keeps guests for people to look at: where a program is about to fail the
// machine is stopped, with all of the program in its memory. It goes on when a
// debugger that has connected detaches. What the guest has said before has then been
// received, and nothing is received while one of these is called.
type Hold struct {
	// Place is where programs end in the guest's kernel.
	Place *ends.Place
	// Take is asked at each failure whether to hold the guest.
	Take func() bool
	// Look, when set, is called at each failure before that. The stub looks at the
	// CPU that runs the program.
	Look func(context.Context, *rsp.Client)
	// Held is told when the guest is stopped, Released when it goes on.
	Held     func(Live)
	Released func()
}

// failure is that of a guest's program, which is about to happen, or one of watching
// it.
type failure struct {
	stub *rsp.Client
	cpu  int // from 1
	err  error
}

// runWatched lets the guest go, and has it stopped where its program fails.
func (g *Guest) runWatched(ctx context.Context) error {
	g.failing = make(chan failure, 1)
	stub, err := g.dialPlace(ctx)
	if err != nil {
		return &InfraError{What: "watch the guest's program", Err: err}
	}
	go g.watch(ctx, stub)
	return nil
}

// dialPlace connects to the guest's stub and sets the point at its place.
func (g *Guest) dialPlace(ctx context.Context) (*rsp.Client, error) {
	stub, err := rsp.Dial(ctx, g.dir.file("gdb"))
	if err != nil {
		return nil, err
	}
	if err := stub.Insert(ctx, g.cfg.Hold.Place.Point()); err != nil {
		stub.Close()
		return nil, err
	}
	return stub, nil
}

// watch runs the guest until its program is about to fail, and says so, or until
// it has ended.
func (g *Guest) watch(ctx context.Context, stub *rsp.Client) {
	for {
		stop, err := stub.Continue(ctx)
		if err != nil {
			break // the guest has ended, which others notice
		}
		here, failing, err := g.cfg.Hold.Place.Here(ctx, stub)
		if err == nil && !here {
			break // init's own way to stop the machine
		}
		if err == nil && failing {
			if err = stub.Select(ctx, stop.CPU); err == nil {
				g.failing <- failure{stub: stub, cpu: stop.CPU}
				return
			}
		}
		if err == nil {
			err = g.cfg.Hold.Place.Pass(ctx, stub)
		}
		if err != nil {
			g.failing <- failure{err: fmt.Errorf("watch a program's end: %w", err)}
			break
		}
	}
	stub.Close()
}

// atFailure holds the guest, whose program is about to fail, or lets it go on.
func (g *Guest) atFailure(ctx context.Context, f failure) error {
	if f.err != nil {
		return f.err
	}
	h := g.cfg.Hold
	if h.Look != nil {
		h.Look(ctx, f.stub)
	}
	if !h.Take() {
		if err := h.Place.Pass(ctx, f.stub); err != nil {
			f.stub.Close()
			return err
		}
		go g.watch(ctx, f.stub)
		return nil
	}
	defer f.stub.Close() // a debugger's turn
	if err := f.stub.Remove(ctx, h.Place.Point()); err != nil {
		return err
	}
	// Beyond the point, so that it is no failure once more when it is watched again.
	if _, err := f.stub.Step(ctx); err != nil {
		return err
	}
	g.shown = true
	g.held, g.cpu = "its program is about to fail", f.cpu
	if err := g.register(); err != nil {
		return err
	}
	h.Held(g.live())
	return nil
}

// resumed is called when a debugger has let the guest go on: a guest that was held is
// watched again as soon as the debugger is gone. One that has only stepped keeps it
// held.
func (g *Guest) resumed(ctx context.Context) error {
	if g.held == "" {
		return nil
	}
	var status struct{ Running bool }
	if err := g.command("query-status", nil, &status); err != nil || !status.Running {
		return nil // or it has ended
	}
	g.held = ""
	g.cfg.Hold.Released()
	go func() {
		if stub, err := g.dialPlace(ctx); err == nil {
			g.watch(ctx, stub)
		}
	}()
	return g.register()
}
