package gdb

import (
	"debug/elf"
	"fmt"
	"slices"
	"strings"

	"ghostlab/gdb/symbols"
	"ghostlab/lab/suggest"
)

// functions returns the names of the functions in a program or a kernel.
func functions(path string) ([]string, error) {
	all, err := symbols.Read(path)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, s := range all {
		if elf.ST_TYPE(s.Info) == elf.STT_FUNC {
			names = append(names, s.Name)
		}
	}
	return names, nil
}

// Check says whether each of the session's Breaks is a function of the program
// or of the kernel: gdb would ask about a wrong name when the guest has started.
// The error is a *UnknownFunctionError or a *symbols.MissingError.
func (s Session) Check() error {
	if len(s.Breaks) == 0 {
		return nil
	}
	var known []string
	for _, path := range []string{s.Program, s.Vmlinux} {
		names, err := functions(path)
		if err != nil {
			return err
		}
		known = append(known, names...)
	}
	for _, name := range s.Breaks {
		if !slices.Contains(known, name) {
			return &UnknownFunctionError{Name: name, Near: near(name, known)}
		}
	}
	return nil
}

// near returns a function that name may have meant: one of that name in a
// package, or else one spelt like it.
func near(name string, known []string) string {
	for _, k := range known {
		if strings.HasSuffix(k, "."+name) {
			return k
		}
	}
	return suggest.Nearest(name, known)
}

// UnknownFunctionError says that neither program nor kernel has a function.
type UnknownFunctionError struct {
	Name string
	Near string // what may have been meant, or empty
}

func (e *UnknownFunctionError) Error() string {
	return fmt.Sprintf("no function %q in the program or the kernel", e.Name)
}

// BadInput marks what the user can mend, see usage.IsBadInput.
func (*UnknownFunctionError) BadInput() {}

// Hint says what to do about it.
func (e *UnknownFunctionError) Hint() string {
	if e.Near != "" {
		return fmt.Sprintf("did you mean %q?", e.Near)
	}
	return "a Go function has its package's name before it, as runtime.fatal; one that was inlined everywhere is gone"
}
