// Lab reproduces crashes of Go programs that occur on ARM64 servers and nowhere
// else: it boots real ARM64 kernels in QEMU, runs a reproducer over a matrix of
// parameters, and says how often it crashed and what that depends on.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"ghostlab/lab/store"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	// The second signal ends lab at once; guests end with it.
	context.AfterFunc(ctx, stop)
	os.Exit(exec(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// exec runs one command line and returns its exit code.
func exec(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
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
	fmt.Fprintf(w, "lab: %v\n", err)
	if h := hintOf(err); h != "" {
		fmt.Fprintf(w, "hint: %s\n", strings.ReplaceAll(h, "\n", "\n      "))
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
