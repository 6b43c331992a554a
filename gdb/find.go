package gdb

import (
	"context"
	"fmt"
	"os/exec"
	"strings"
	"time"
)

// names are what a gdb for arm64 is called: Debian's and Ubuntu's, one of a cross
// toolchain, and where all of a distribution's targets are in one gdb, or the host
// is arm64 itself.
var names = []string{"gdb-multiarch", "aarch64-linux-gnu-gdb", "gdb"}

// findLimit is how long a gdb may take to say what it was built for: 0.1 s idle.
const findLimit = 20 * time.Second

// Find returns the name of a gdb for arm64, or a *NotFoundError.
func Find() (string, error) {
	for _, name := range names {
		if _, err := exec.LookPath(name); err == nil && knowsARM64(name) {
			return name, nil
		}
	}
	return "", &NotFoundError{}
}

// Name is what Find returns, or what a gdb for arm64 would most likely be called.
func Name() string {
	if name, err := Find(); err == nil {
		return name
	}
	return names[0]
}

// knowsARM64 says whether a gdb was built for that target: many know their host only.
func knowsARM64(name string) bool {
	ctx, cancel := context.WithTimeout(context.Background(), findLimit)
	defer cancel()
	out, err := exec.CommandContext(ctx, name, "-nx", "-batch", "-ex", "set architecture aarch64", "-ex", "show architecture").Output()
	return err == nil && strings.Contains(string(out), `"aarch64"`)
}

// NotFoundError says that this host has no gdb for arm64.
type NotFoundError struct{}

func (*NotFoundError) Error() string {
	return fmt.Sprintf("no gdb for arm64 was found (%s)", strings.Join(names, ", "))
}

// Unwrap says that a program is missing.
func (*NotFoundError) Unwrap() error { return exec.ErrNotFound }

// Hint says what to do about it.
func (*NotFoundError) Hint() string {
	return "`lab doctor` names the command that installs it; --no-gdb prints the command for another gdb,\n" +
		"one that was built for all targets"
}
