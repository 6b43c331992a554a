package runner

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"

	"ghostlab/lab/journal"
	"ghostlab/lab/qemu"
)

// Shown are the files of a trial that its digest is made of: all that its guest has shown.
var Shown = []string{"console.log", "lab_fault.txt", "guest.log"}

// digest identifies an execution: how it ended, how long it took, and each byte
// that the guest has shown, with its own time stamps.
func digest(j journal.Trial, ev journal.Evidence) string {
	h := sha256.New()
	fmt.Fprintln(h, j.Outcome, j.Title, j.Exit, j.Signal, j.Duration.Nanoseconds(), j.Lost)
	for _, name := range Shown {
		fmt.Fprintln(h, name, len(ev[name]))
		h.Write(ev[name])
	}
	return hex.EncodeToString(h.Sum(nil))
}

// again runs a guest once more, into dir, and returns what became of its trials,
// by number. It ends the guest after the trial with the number last; zero lets
// it run to its end.
func (t *turn) again(dir string, last int) (map[int]Execution, error) {
	var err error
	for range attempts {
		got := map[int]Execution{}
		fresh := &turn{run: t.run, kind: t.kind, vm: t.vm, dir: dir, log: t.log, spec: t.spec, watch: t.watch, stay: t.stay}
		for _, tr := range t.batch {
			c := *tr
			c.attempts = 0 // what this guest cannot start counts against nobody
			fresh.batch = append(fresh.batch, &c)
		}
		ctx, stop := context.WithCancel(t.run.ctx)
		fresh.sink = func(j journal.Trial, ev journal.Evidence) {
			got[j.N] = Execution{j, ev}
			if j.N == last {
				stop()
			}
		}
		fresh.prepare()
		end := fresh.play(ctx)
		stop()
		if ctx := t.run.ctx; ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if _, done := got[last]; done {
			return got, nil
		}
		if fresh.err == nil {
			if fresh.current != nil {
				fresh.verdict(fresh.current, end)
			}
			return got, nil
		}
		if err = fresh.err; !infrastructural(err) || errors.Is(err, qemu.ErrKilled) {
			break // no other guest will do better, or nobody wants one
		}
		t.run.trouble(err)
	}
	return nil, err
}

// Execution is one run of a trial, with its evidence.
type Execution struct {
	journal.Trial
	Evidence journal.Evidence
}
