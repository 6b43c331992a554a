// Package cli is lab's command line: the verbs, their flags, and what they print. A
// verb's file parses, calls and prints; what is done belongs to the packages that it
// calls.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"syscall"

	"ghostlab/lab/store"
	"ghostlab/lab/visible"
)

// Main runs one command line and returns its exit code.
func Main(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	err := run(ctx, args, stdin, stdout, stderr)
	if err != nil && !errors.As(err, new(silentError)) {
		complain(stderr, err)
	}
	return exitCode(err)
}

// complain prints an error and what to do about it.
func complain(w io.Writer, err error) {
	if errors.Is(err, context.Canceled) {
		fmt.Fprintln(w, "lab: interrupted")
		return
	}
	// What an error names may come from a run of somebody else.
	fmt.Fprintf(w, "lab: %s\n", visible.Text(err.Error(), true))
	if h := hintOf(err); h != "" {
		fmt.Fprintf(w, "hint: %s\n", strings.ReplaceAll(visible.Text(h, true), "\n", "\n      "))
	}
}

func hintOf(err error) string {
	var hint interface{ Hint() string }
	switch {
	case errors.As(err, &hint):
		return hint.Hint()
	case errors.Is(err, syscall.ENOSPC):
		return (&store.SpaceError{}).Hint()
	}
	return ""
}
