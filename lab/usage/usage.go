// Package usage holds the errors of wrong use and bad input, which the user can mend by
// typing something else.
package usage

import "errors"

// Error is a command line that cannot be carried out, where no more special error says
// so.
type Error struct {
	Err error
	// Advice is what to do about it; empty where the error says enough.
	Advice string
}

// New returns an Error with what to do about it, empty where err says enough.
func New(err error, advice string) Error { return Error{Err: err, Advice: advice} }

func (e Error) Error() string { return e.Err.Error() }
func (e Error) Unwrap() error { return e.Err }

// Hint says what to do about it.
func (e Error) Hint() string { return e.Advice }

// BadInput marks the error, see IsBadInput.
func (e Error) BadInput() {}

// IsBadInput says whether the user can mend an error by typing something else: it, or
// one that it wraps, has a method BadInput.
func IsBadInput(err error) bool {
	var bad interface{ BadInput() }
	return errors.As(err, &bad)
}
