package cli

import (
	"context"
	"errors"

	"ghostlab/lab/rerun"
	"ghostlab/lab/usage"
)

// Exit codes, the same for every verb.
const (
	exitOK          = 0   // as expected
	exitDiffers     = 1   // the result differs from what was expected
	exitUsage       = 2   // wrong use or bad input
	exitInfra       = 3   // infrastructure failed
	exitInterrupted = 130 // interrupted, resumable
)

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
	case as[*rerun.DifferentError](err):
		return exitDiffers
	case usage.IsBadInput(err):
		return exitUsage
	}
	return exitInfra
}

func as[E error](err error) bool {
	var e E
	return errors.As(err, &e)
}
