package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/klauspost/compress/zstd"
	"github.com/spf13/cobra"

	"ghostlab/gdb/inspect"
	"ghostlab/lab/journal"
	"ghostlab/lab/matrix"
	"ghostlab/lab/provision"
	"ghostlab/lab/rerun"
	"ghostlab/lab/runner"
	"ghostlab/lab/usage"
	"ghostlab/lab/vm"
)

func (a *app) inspectCommand() *cobra.Command {
	var asJSON bool
	var file string
	cmd := &cobra.Command{
		Use:   "inspect [GUEST|RUN/TRIAL]",
		Short: "Show the goroutines of a program that failed, from a core",
		Long: `Show the goroutines of a program that failed, their calls and arguments; those of a
map's functions are its header. -o keeps the core, which dlv core and gdb open. It is

- taken now, of a guest that is held at its crash and stays as it is,
- the one that was kept with a trial, where the matrix says "collect: [core]", or
- taken now, of a trial of the deterministic engine, which is run once more to its
  crash. That it is the same crash is checked by what the program writes, to the byte;
  where a guest with one vCPU takes another course, a record of it is replayed.

` + guestNames,
		Example: `  lab run matrix.yaml --hold-on crash &
  lab inspect                            the guest that is held at a crash
  lab inspect 20261124-020841-ghost-map/17 --json
  lab inspect 17                         trial 17 of the newest run
  lab inspect -o repro.core`,
		Args: atMost("one guest or trial"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.inspect(cmd.Context(), strings.Join(args, ""), file, asJSON)
		},
	}
	cmd.Flags().StringVarP(&file, "output", "o", "", "`file` to keep the core in")
	a.trustFlag(cmd.Flags())
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON document")
	return cmd
}

func (a *app) inspect(ctx context.Context, name, file string, asJSON bool) error {
	dir, remove, err := vm.Scratch()
	if err != nil {
		return err
	}
	defer remove()
	if file == "" {
		file = filepath.Join(dir, "core")
	}
	program, err := a.coreOf(ctx, name, file)
	if err != nil {
		return err
	}
	r, err := inspect.Open(file, program)
	switch {
	case err != nil:
		return err
	case asJSON:
		return json.NewEncoder(a.stdout).Encode(r)
	}
	return r.Text(a.stdout)
}

// coreOf writes the core of a held guest or of a past trial to a file, and returns
// the program.
func (a *app) coreOf(ctx context.Context, name, file string) (program string, err error) {
	take := func(ctx context.Context, c rerun.Crash) error {
		program = c.Program
		return takeCore(ctx, c, file)
	}
	err = a.lookAtCrash(ctx, name, take, func(p provision.Provider, past *rerun.Past) (kept bool, err error) {
		core, err := journal.OpenEvidence(past.Dir, past.Trial.N, runner.CoreFile)
		switch {
		case err == nil:
			defer core.Close()
			program, err = unpackCore(ctx, p, past, core, file)
			return true, err
		case !errors.Is(err, fs.ErrNotExist):
			return false, err
		case !past.Trial.Schedule.Deterministic():
			return false, usage.New(fmt.Errorf("no core of trial %d was kept", past.Trial.N),
				"a matrix with \"collect: [console, core]\" keeps them; trials of the deterministic engine need none")
		}
		return false, nil
	})
	return program, err
}

// mostCore bounds a core, in bytes: it holds the memory of one process of a guest.
const mostCore = matrix.MaxMemory << 20

// unpackCore unpacks the core that was kept with a trial, and returns the program.
func unpackCore(ctx context.Context, p provision.Provider, past *rerun.Past, core io.Reader, file string) (program string, err error) {
	img, err := rerun.Image(ctx, p, past)
	if err != nil {
		return "", err
	}
	// A lab's own has a window of some MiB.
	r, err := zstd.NewReader(core, zstd.WithDecoderMaxWindow(128<<20))
	if err != nil {
		return "", err
	}
	defer r.Close()
	f, err := os.Create(file)
	if err != nil {
		return "", err
	}
	defer f.Close()
	n, err := io.Copy(f, io.LimitReader(r, mostCore+1))
	if err == nil && n > mostCore {
		err = fmt.Errorf("want at most %d MiB, the memory of the largest guest", mostCore>>20)
	}
	if err != nil {
		return "", fmt.Errorf("the core of trial %d: %w", past.Trial.N, err)
	}
	return img.Program, f.Close()
}

// takeCore writes a core of the program that a machine is stopped at.
func takeCore(ctx context.Context, c rerun.Crash, file string) error {
	f, err := os.OpenFile(file, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := c.Place.Core(ctx, c.Stub, f); err != nil {
		return err
	}
	return f.Close()
}
