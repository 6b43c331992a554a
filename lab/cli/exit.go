package cli

import (
	"context"
	"errors"

	"ghostlab/gdb"
	"ghostlab/gdb/symbols"
	"ghostlab/gdb/travel"
	"ghostlab/images"
	"ghostlab/kernels"
	"ghostlab/lab/config"
	"ghostlab/lab/crash"
	"ghostlab/lab/journal"
	"ghostlab/lab/matrix"
	"ghostlab/lab/runner"
	"ghostlab/lab/toolchain"
	"ghostlab/scenarios"
)

// Exit codes, the same for every verb.
const (
	exitOK          = 0   // as expected
	exitDiffers     = 1   // the result differs from what was expected
	exitUsage       = 2   // wrong use or bad input
	exitInfra       = 3   // infrastructure failed
	exitInterrupted = 130 // interrupted, resumable
)

// usageError is a command line that cannot be carried out.
type usageError struct {
	err  error
	hint string
}

func (e usageError) Error() string { return e.err.Error() }
func (e usageError) Unwrap() error { return e.err }
func (e usageError) Hint() string  { return e.hint }

// silentError sets an exit code after everything has been said.
type silentError struct{ code int }

func (e silentError) Error() string { return "" }

func exitCode(err error) int {
	var silent silentError
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &silent):
		return silent.code
	case errors.Is(err, context.Canceled):
		return exitInterrupted
	case badInput(err):
		return exitUsage
	}
	return exitInfra
}

// badInput says whether the user can mend an error by typing something else.
func badInput(err error) bool {
	return as[usageError](err) ||
		as[*config.Error](err) ||
		as[*scenarios.PlaceError](err) ||
		as[*scenarios.NotFoundError](err) ||
		as[*matrix.SizeError](err) ||
		as[*journal.NoRunError](err) ||
		as[*journal.NoTrialError](err) ||
		as[*journal.ChangedError](err) ||
		as[*journal.BusyError](err) ||
		as[*journal.PartsError](err) ||
		as[*journal.PlainError](err) ||
		as[*journal.RunError](err) ||
		as[*journal.DamageError](err) ||
		as[*untrustedError](err) ||
		as[*parallelError](err) ||
		as[*guestError](err) ||
		as[*gdb.UnknownFunctionError](err) ||
		as[*symbols.MissingError](err) ||
		as[*passedError](err) ||
		as[*travel.SymbolsError](err) ||
		as[*changedError](err) ||
		as[*treeError](err) ||
		as[*runner.VCPUsError](err) ||
		as[*runner.MovedError](err) ||
		as[*runner.NoFailureError](err) ||
		as[*watchedError](err) ||
		as[*toolchain.CompileError](err) ||
		as[*toolchain.ManyError](err) ||
		as[*images.SizeError](err) ||
		as[*crash.IdleError](err) ||
		as[*kernels.UnknownSeriesError](err) ||
		as[*kernels.SourceError](err) ||
		as[*kernels.FolderError](err) ||
		as[*kernels.PatchError](err) ||
		as[*kernels.ConfigError](err)
}

func as[E error](err error) bool {
	var e E
	return errors.As(err, &e)
}
