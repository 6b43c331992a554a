// Package symbols reads what a program or a kernel calls its functions and its
// variables, and where they are.
package symbols

import (
	"debug/elf"
	"errors"
	"fmt"
)

// Read returns the symbols of an ELF file. The error is a *MissingError where it
// has none.
func Read(path string) ([]elf.Symbol, error) {
	f, err := elf.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read symbols: %w", err)
	}
	defer f.Close()
	all, err := f.Symbols()
	if errors.Is(err, elf.ErrNoSymbols) {
		return nil, &MissingError{Path: path}
	}
	if err != nil {
		return nil, fmt.Errorf("read symbols of %s: %w", path, err)
	}
	return all, nil
}

// MissingError says that a file was stripped.
type MissingError struct{ Path string }

func (e *MissingError) Error() string { return e.Path + " has no symbols" }

// BadInput marks what the user can mend, see usage.IsBadInput.
func (*MissingError) BadInput() {}

// Hint says what to do about it.
func (e *MissingError) Hint() string {
	return "build it without -ldflags=-s; gdb can still stop at addresses"
}
