// Lab reproduces crashes of Go programs that occur on ARM64 servers and nowhere
// else: it boots real ARM64 kernels in QEMU, runs a reproducer over a matrix of
// parameters, and says how often it crashed and what that depends on.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"ghostlab/lab/cli"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	// The second signal ends lab at once; guests end with it.
	context.AfterFunc(ctx, stop)
	os.Exit(cli.Main(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
